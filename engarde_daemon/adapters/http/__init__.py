"""The one way out: every URL that the daemon fetches for a tenant goes through here."""

from engarde_daemon.adapters.http.client import (
    AddressRefusedError,
    Bounds,
    Reply,
    exchange,
    open_client,
    request_to,
)
from engarde_daemon.adapters.http.guard import Gate

__all__ = [
    "AddressRefusedError",
    "Bounds",
    "Gate",
    "Reply",
    "exchange",
    "open_client",
    "request_to",
]
