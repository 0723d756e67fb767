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

from tui.app import Dashboard
from tui.http_feed import HttpFeed, open_client

KEY = "ENGARDE_KEY"


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
    return asyncio.run(_show(options.url, key, light=options.light))


async def _show(url: str, key: str, *, light: bool) -> int:
    async with open_client(url, key) as client:
        app = Dashboard(HttpFeed(client, random=random.random), light=light)
        # Textual leaves SIGTERM alone (8.2), and the terminal as it was.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, app.exit)
        await app.run_async()
        return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
