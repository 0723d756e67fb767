"""What the daemon tells the service manager that started it.

Owns the wire: a datagram of `NAME=value` lines to the socket that `NOTIFY_SOCKET` names. Nothing
here ever waits, and a service manager that does not listen changes nothing for the daemon.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import socket
from collections.abc import MutableMapping
from typing import Self

import structlog

STATUS_CHARACTERS_MAX = 200
_US_PER_S = 1_000_000

_LOG = structlog.get_logger("engarde.daemon")


class Systemd:
    """The service manager, if there is one; `watchdog_s` is how long it waits for a sign of life."""

    def __init__(self, address: str | None, *, watchdog_s: float | None = None) -> None:
        self._socket: socket.socket | None = None
        self._address = ""
        self.watchdog_s = watchdog_s
        if address is not None:
            self._open(address)

    @classmethod
    def named_in(cls, environ: MutableMapping[str, str], *, pid: int) -> Self:
        """Take what the environment says of it out of the environment.

        Whatever the daemon starts, such as PostgreSQL, would otherwise speak in its name.
        """
        address = environ.pop("NOTIFY_SOCKET", None)
        watchdog_us = environ.pop("WATCHDOG_USEC", "")
        meant_for = environ.pop("WATCHDOG_PID", "")
        is_ours = meant_for in {"", str(pid)} and watchdog_us.isdecimal() and int(watchdog_us) > 0
        return cls(address, watchdog_s=int(watchdog_us) / _US_PER_S if is_ours else None)

    @property
    def listens(self) -> bool:
        """Whether anybody is there to be told."""
        return self._socket is not None

    def tell(self, *lines: str) -> None:
        """Send these lines, such as `READY=1`, as one message."""
        if self._socket is None:
            return
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            _LOG.warning("the service manager was not told", lines=lines, reason=error.strerror)

    def close(self) -> None:
        """Tell nothing any more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self, address: str) -> None:
        if not address.startswith(("/", "@")) or len(address) == 1:
            _LOG.warning("NOTIFY_SOCKET names no Unix socket: nobody is told of the daemon's state")
            return
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)


def status(text: str) -> str:
    """One line of words for whoever asks `systemctl status`."""
    return f"STATUS={' '.join(text.split())[:STATUS_CHARACTERS_MAX]}"


def more_time(seconds: float) -> str:
    """A wish that a start or a stop be waited for so much longer."""
    return f"EXTEND_TIMEOUT_USEC={round(seconds * _US_PER_S)}"
