"""A real browser without a screen, spoken to by its own protocol.

Owns the clean-up: browser and profile end with the block. The protocol is that of
https://chromedevtools.github.io/devtools-protocol/.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
from anyio.abc import Process

from tests.support.patience import PATIENCE_S

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "headless_shell")
LOOK_EVERY_S = 0.1
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--window-size=1200,800",
    "--remote-debugging-port=0",
)  # fmt: skip


def find() -> str | None:
    """The browser of this machine, if there is one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Tab:
    """A tab, with all that it asked for and complained about."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def open(self, url: str) -> None:
        """Go to a page."""
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)

    async def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        await self.call("Input.insertText", text=text)

    async def evaluate(self, expression: str) -> Any:
        """What an expression is worth on the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer.get("result", {}).get("value")

    async def until(self, expression: str) -> None:
        """Wait until an expression is true.

        Raises:
            AssertionError: It never was.
        """
        with anyio.move_on_after(PATIENCE_S):
            while not await self.evaluate(expression):
                await anyio.sleep(LOOK_EVERY_S)
            return
        raise AssertionError(f"never true: {expression}; complaints: {self.complaints}")

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Give the browser an order, and note what happens until it is done."""
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": params})
        while True:
            said = await self._socket.receive_json()
            if said.get("id") == self._calls:
                return dict(said.get("result", {}))
            self._note(said)

    def _note(self, said: dict[str, Any]) -> None:
        match said:
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}:
                self.requests.append(url)
            case {"method": "Log.entryAdded", "params": {"entry": entry}}:
                self.complaints.append(f"{entry['level']}: {entry['text']}")
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.complaints.append(f"exception: {json.dumps(details)}")


@asynccontextmanager
async def tab(program: str) -> AsyncIterator[Tab]:
    """An empty tab of a browser that was started for it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await anyio.open_process(
            [program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = await _port(anyio.Path(profile) / "DevToolsActivePort")
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
                async with http.put("/json/new?about:blank") as made:
                    where = (await made.json())["webSocketDebuggerUrl"]
                async with http.ws_connect(where, max_msg_size=0) as socket:
                    yield Tab(socket)
        finally:
            with anyio.CancelScope(shield=True):
                await _end(process)


async def _port(file: anyio.Path) -> int:
    with anyio.fail_after(PATIENCE_S):
        while not (await file.exists() and (lines := (await file.read_text()).splitlines())):
            await anyio.sleep(LOOK_EVERY_S)
    return int(lines[0])


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(PATIENCE_S):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    await process.aclose()
