"""One dashboard in a process of its own, as a browser's window sees it: bytes in, bytes out.

Owns its end. Whatever becomes of the window, the process is told to leave, and ended if it does
not. The key is handed over in its environment, and what it might say while it breaks is not kept.
The packets are those of Textual's web driver (textual 8.2, textual/drivers/web_driver.py).
"""

import os
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import anyio
import msgspec
from anyio.abc import ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

LEAVE_LIMIT_S = 3.0
PACKET_BYTES_MAX = 4 * 1024 * 1024
COLUMNS_MAX, LINES_MAX = 500, 200
_HEAD = struct.Struct(">cI")
_DATA, _META = b"D", b"M"
_PRELUDE = b"__GANGLION__"
_DRIVER = {
    "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver",
    "TEXTUAL_COLOR_SYSTEM": "truecolor",
    "TERM": "xterm-256color",
}


class Size(msgspec.Struct, frozen=True):
    """How many characters fit into a window."""

    columns: int
    lines: int

    def bounded(self) -> "Size":
        """The nearest size that can be drawn."""
        return Size(_within(self.columns, COLUMNS_MAX), _within(self.lines, LINES_MAX))


class Dashboard:
    """A dashboard that is running."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None, "opened with pipes"  # noqa: S101 - for the type checker
        assert process.stdout is not None, "opened with pipes"  # noqa: S101 - for the type checker
        self._input: ByteSendStream = process.stdin
        self._output = BufferedByteReceiveStream(process.stdout)

    async def type(self, keys: str) -> None:
        """Hand on what was typed."""
        await self._send(_DATA, keys.encode())

    async def resize(self, size: Size) -> None:
        """Say how large the window is now."""
        fits = size.bounded()
        await self._tell({"type": "resize", "width": fits.columns, "height": fits.lines})

    async def focus(self, *, has_it: bool) -> None:
        """Say whether the window is the one in front."""
        await self._tell({"type": "focus" if has_it else "blur"})

    async def drawn(self) -> AsyncIterator[bytes]:
        """What it draws, until it is left."""
        with suppress(anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound):
            if await self._output.receive_until(b"\n", len(_PRELUDE) + 1) != _PRELUDE:
                return
            while packet := await self._next_packet():
                yield packet

    async def _next_packet(self) -> bytes:
        while True:
            kind, size = _HEAD.unpack(await self._output.receive_exactly(_HEAD.size))
            if size > PACKET_BYTES_MAX:
                return b""
            payload = await self._output.receive_exactly(size)
            if kind == _DATA and payload:
                return payload
            if kind == _META and msgspec.json.decode(payload).get("type") == "exit":
                return b""

    async def _tell(self, meta: dict[str, str | int]) -> None:
        await self._send(_META, msgspec.json.encode(meta))

    async def _send(self, kind: bytes, payload: bytes) -> None:
        await self._input.send(_HEAD.pack(kind, len(payload)) + payload)


@asynccontextmanager
async def opened(url: str, key: str, size: Size, *, light: bool) -> AsyncIterator[Dashboard]:
    """A dashboard of this daemon with this key, which ends with the block."""
    # -P: a folder called `tui` where the server was started is not ours.
    command = [sys.executable, "-P", "-m", "tui.web.window", "--url", url]
    process = await anyio.open_process(
        [*command, *(["--light"] if light else [])],
        stderr=subprocess.DEVNULL,
        env=_environment(key, size.bounded()),
    )
    try:
        yield Dashboard(process)
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


def _environment(key: str, size: Size) -> Mapping[str, str]:
    fits = {"COLUMNS": str(size.columns), "ROWS": str(size.lines)}
    return {**os.environ, **_DRIVER, **fits, "ENGARDE_KEY": key}


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(LEAVE_LIMIT_S):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    await process.aclose()


def _within(number: int, most: int) -> int:
    return max(1, min(number, most))
