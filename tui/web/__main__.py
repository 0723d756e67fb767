"""`python -m tui.web`: the dashboard of a daemon somewhere, for browsers.

Owns its place: a process of its own, a client of the daemon, with no key of its own. It ends with
SIGTERM or Ctrl-C, and takes all windows with it.
"""

import argparse
import ipaddress
import secrets
import signal
import sys
from functools import partial

import anyio
from aiohttp import web

from tui.web.gate import Gate
from tui.web.site import Site
from tui.web.visitors import Visitors

TOKEN_BYTES = 32
LEAVE_LIMIT_S = 5.0
_BARE = (
    "It is reached from other machines without TLS, and keys are typed into it: put a proxy with "
    "TLS before it, or let it listen on 127.0.0.1."
)


def main() -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="engarde tui --web", description=__doc__)
    parser.add_argument("--url", required=True, help="where the daemon listens")
    parser.add_argument("--listen", required=True, help="HOST:PORT for browsers")
    parser.add_argument("--light", action="store_true", help="begin with light colours")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    visitors = Visitors(
        clock=anyio.current_time, draw_token=partial(secrets.token_urlsafe, TOKEN_BYTES)
    )
    site = Site(options.url, visitors, Gate(options.url), light=options.light)
    return anyio.run(_serve, site, host.strip("[]"), int(port))


async def _serve(site: Site, host: str, port: int) -> int:
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=LEAVE_LIMIT_S)
    await runner.setup()
    try:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                _say(f"engarde tui: cannot listen on {host}:{port}: {error.strerror}")
                return 3
            _announce(runner, host)
            async for _ in signals:
                return 0
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(2 * LEAVE_LIMIT_S):
            await runner.cleanup()
    return 0


def _announce(runner: web.AppRunner, host: str) -> None:
    port = runner.addresses[0][1]
    shown = f"[{host}]" if ":" in host else host
    _say(f"The dashboard is at http://{shown}:{port}/ (Ctrl-C ends it).")
    if not _is_this_machine(host):
        _say(_BARE)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201 - for a person


if __name__ == "__main__":
    sys.exit(main())
