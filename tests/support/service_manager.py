"""A service manager that does nothing but listen, on a real datagram socket."""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.to_thread import run_sync

from tests.support.patience import PATIENCE_S


class ServiceManager:
    """Binds the address that `NOTIFY_SOCKET` shall name; `@name` is an abstract one."""

    def __init__(self, address: Path | str) -> None:
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        name = self.address
        self._socket.bind(f"\0{name[1:]}" if name.startswith("@") else name)
        self._socket.settimeout(PATIENCE_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def heard(self) -> list[list[str]]:
        """Every message that has come since it was asked last, as lines."""
        messages: list[list[str]] = []
        self._socket.setblocking(False)
        try:
            while True:
                messages.append(self._socket.recv(4096).decode().split("\n"))
        except BlockingIOError:
            return messages
        finally:
            self._socket.settimeout(PATIENCE_S)

    async def until(self, line: str) -> list[list[str]]:
        """Wait for a message with this line, and give all up to it."""
        messages: list[list[str]] = []
        with anyio.fail_after(PATIENCE_S):
            while not messages or line not in messages[-1]:
                raw = await run_sync(self._socket.recv, 4096)
                messages.append(raw.decode().split("\n"))
        return messages
