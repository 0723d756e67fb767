"""`python -m tui`: the dashboard of a daemon somewhere, in this terminal.

Owns its place: a process of its own that speaks with the daemon as every other client does. So it
may hang, be stopped or lose its terminal, and nothing changes for the daemon. The key comes in the
environment, because other users of the machine can read arguments.
"""

import argparse
import asyncio
import os
import random
import signal
import sys

import anyio

from tui.app import Dashboard
from tui.http_feed import HttpFeed, open_client

KEY = "ENGARDE_KEY"
TERMINAL_LOOK_EVERY_S = 1.0


def main() -> int:
    """Show the dashboard until it is left."""
    parser = argparse.ArgumentParser(prog="engarde tui", description=__doc__)
    parser.add_argument("--url", required=True, help="where the daemon listens")
    parser.add_argument("--light", action="store_true", help="begin with light colours")
    options = parser.parse_args()
    key = os.environ.get(KEY, "")
    if not key:
        print(f"engarde tui: there is no key in {KEY}", file=sys.stderr)  # noqa: T201 - for a person
        return 3
    try:
        return asyncio.run(_show(options.url, key, light=options.light))
    finally:
        if not _has_terminal():
            os._exit(1)  # Textual's threads (8.2) would wait for the terminal for ever


async def _show(url: str, key: str, *, light: bool) -> int:
    async with open_client(url, key) as client, anyio.create_task_group() as tasks:
        app = Dashboard(HttpFeed(client, random=random.random), light=light)
        # Textual leaves SIGTERM alone (8.2), and the terminal as it was.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit)
        tasks.start_soon(_end_with_terminal)
        await app.run_async()
        tasks.cancel_scope.cancel()
    return app.return_code or 0


async def _end_with_terminal() -> None:
    # Only the leader of a session hears that its terminal is gone, and that may be the daemon;
    # Textual (8.2) would go on reading the end of the input as fast as it can.
    while _has_terminal():
        await anyio.sleep(TERMINAL_LOOK_EVERY_S)
    signal.raise_signal(signal.SIGHUP)


def _has_terminal() -> bool:
    return sys.__stdin__ is not None and os.isatty(sys.__stdin__.fileno())


if __name__ == "__main__":
    sys.exit(main())
