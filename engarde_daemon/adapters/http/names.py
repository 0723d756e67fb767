"""From the name of a host to addresses that may be called.

Owns that a name is resolved once and all its addresses are checked: whoever connects, connects to
what is answered here, so that a second answer of the name server changes nothing.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import TypeAlias

import httpx
from anyio import CapacityLimiter, to_thread

from engarde_daemon.adapters.http.guard import Address, Gate

RESOLVERS = 8

Resolve: TypeAlias = Callable[[str, int], Iterable[str]]
"""The addresses of a name; may block."""


class AddressRefusedError(httpx.RequestError):
    """The URL leads where tenants may not send the daemon."""


class UnknownHostError(OSError):
    """The name of a host has no address."""


def system_resolver(host: str, port: int) -> Iterable[str]:
    """Ask the operating system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return dict.fromkeys(str(place[0]) for *_, place in found)


class Names:
    """Looks names up."""

    def __init__(self, gate: Gate, resolve: Resolve) -> None:
        self._gate = gate
        self._resolve = resolve
        self._threads: CapacityLimiter | None = None

    async def addresses(self, host: str, port: int) -> Sequence[Address]:
        """The addresses of a host, one at least.

        Raises:
            UnknownHostError: It has none.
            AddressRefusedError: One of them is not for tenants.
        """
        if self._threads is None:  # it belongs to an event loop
            self._threads = CapacityLimiter(RESOLVERS)
        try:
            texts = await to_thread.run_sync(
                self._resolve, host, port, abandon_on_cancel=True, limiter=self._threads
            )
        except (OSError, UnicodeError) as error:
            raise UnknownHostError("The host name has no address.") from error
        addresses = [ip_address(text.partition("%")[0]) for text in texts]
        if not addresses:
            raise UnknownHostError("The host name has no address.")
        if not all(self._gate.admits(address) for address in addresses):
            raise AddressRefusedError("The host has an address that is not public.")
        return addresses
