"""What may be said to the storage actor."""

from typing import TypeAlias

from engarde_daemon.core import Request


class ServerDied(Request[None], frozen=True):
    """The embedded PostgreSQL is gone and wanted back."""


StorageMessage: TypeAlias = ServerDied
