"""`python -m tui.web.window`: the dashboard for one window of a browser, started by its server.

Owns its end, should the server die without a word: nobody would read what it draws.
"""

import argparse
import asyncio
import os
import random
import sys

import anyio

from tui.app import Dashboard
from tui.http_feed import HttpFeed, open_client

SERVER_LOOK_EVERY_S = 1.0


def main() -> int:
    """Show the dashboard until it is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--light", action="store_true")
    options = parser.parse_args()
    key = os.environ.pop("ENGARDE_KEY")
    return asyncio.run(_show(options.url, key, light=options.light))


async def _show(url: str, key: str, *, light: bool) -> int:
    async with open_client(url, key) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(_end_with_server, os.getppid())
        app = Dashboard(HttpFeed(client, random=random.random), light=light)
        await app.run_async()
        tasks.cancel_scope.cancel()
    return app.return_code or 0


async def _end_with_server(server: int) -> None:
    while os.getppid() == server:
        await anyio.sleep(SERVER_LOOK_EVERY_S)
    # There is no terminal to give back, and a polite end would draw into a closed pipe.
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
