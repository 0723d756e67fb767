"""The dashboard for browsers as an operator starts it, and a browser without a screen.

Owns the clean-up: the server ends with its block, and every dashboard that it runs with it.
"""

import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import psutil
import pyte

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.running import ENGARDE, environment

COLUMNS, LINES = 120, 40


class Server:
    """A server of the dashboard, in a process of its own."""

    def __init__(self, pid: int, base_url: str) -> None:
        self.pid = pid
        self.base_url = base_url

    def dashboards(self) -> list[psutil.Process]:
        """The dashboards that it runs."""
        return psutil.Process(self.pid).children(recursive=True)

    async def until_alone(self) -> None:
        """Wait until it runs no dashboard."""
        with anyio.fail_after(PATIENCE_S):
            while self.dashboards():
                await anyio.sleep(0.05)


@asynccontextmanager
async def served(url: str) -> AsyncIterator[Server]:
    """The dashboard of the daemon at this address, served to browsers."""
    listen = f"127.0.0.1:{free_port()}"
    command = [ENGARDE, "tui", "--web", "--url", url, "--listen", listen]
    process = await anyio.open_process(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment({})
    )
    try:
        assert process.stderr is not None
        said = b""
        with anyio.fail_after(PATIENCE_S):
            while b"The dashboard is at" not in said:
                said += await process.stderr.receive()
        yield Server(process.pid, f"http://{listen}")
    finally:
        with anyio.CancelScope(shield=True), anyio.fail_after(PATIENCE_S):
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await process.aclose()


class Browser:
    """Somebody's browser: it keeps cookies and says where its pages come from."""

    def __init__(self, http: aiohttp.ClientSession, origin: str) -> None:
        self.http = http
        self.origin = origin

    async def enter(self, key: str, **headers: str) -> aiohttp.ClientResponse:
        """Send the form with a key."""
        sent = {"Origin": self.origin, **headers}
        answer = await self.http.post(
            "/enter", data={"key": key}, headers=sent, allow_redirects=False
        )
        await answer.read()
        return answer

    async def leave(self) -> None:
        """Press the button that forgets the key."""
        await self.http.post("/leave", headers={"Origin": self.origin}, allow_redirects=False)

    @asynccontextmanager
    async def window(self, **headers: str) -> AsyncIterator["Window"]:
        """Open the dashboard."""
        sent = {"Origin": self.origin, **headers}
        where = f"/ws?width={COLUMNS}&height={LINES}"
        async with self.http.ws_connect(where, headers=sent) as socket:
            yield Window(socket)


class Window:
    """A window of the browser with the dashboard in it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)

    async def type(self, keys: str) -> None:
        """Press these keys."""
        await self.socket.send_json(["stdin", keys])

    async def shown(self, words: str) -> str:
        """Wait until words stand in the window, and give all that stands there.

        Raises:
            AssertionError: They never did.
        """
        with anyio.move_on_after(PATIENCE_S):
            while words not in (text := "\n".join(self._screen.display)):
                self._take(await self.socket.receive())
            return text
        raise AssertionError(f"{words!r} does not stand in the window:\n{text}")

    async def closed(self) -> None:
        """Wait until the server closes it."""
        with anyio.fail_after(PATIENCE_S):
            while (await self.socket.receive()).type is aiohttp.WSMsgType.BINARY:
                continue

    def _take(self, message: aiohttp.WSMessage) -> None:
        assert message.type is aiohttp.WSMsgType.BINARY, f"the window was closed: {message}"
        self._stream.feed(message.data)


@asynccontextmanager
async def browser(
    server: Server, headers: Mapping[str, Any] | None = None
) -> AsyncIterator[Browser]:
    """A browser that was never here before."""
    jar = aiohttp.CookieJar(unsafe=True)  # otherwise it keeps none of a numeric address
    async with aiohttp.ClientSession(server.base_url, cookie_jar=jar, headers=headers) as http:
        yield Browser(http, server.base_url)
