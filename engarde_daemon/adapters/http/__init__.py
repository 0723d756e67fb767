"""The one way out: every URL that the daemon fetches for a tenant goes through here."""

from engarde_daemon.adapters.http.answers import Answer
from engarde_daemon.adapters.http.calls import Calls, Question
from engarde_daemon.adapters.http.client import (
    Bounds,
    Reply,
    exchange,
    open_client,
    request_to,
)
from engarde_daemon.adapters.http.guard import Gate
from engarde_daemon.adapters.http.names import AddressRefusedError

__all__ = [
    "AddressRefusedError",
    "Answer",
    "Bounds",
    "Calls",
    "Gate",
    "Question",
    "Reply",
    "exchange",
    "open_client",
    "request_to",
]
