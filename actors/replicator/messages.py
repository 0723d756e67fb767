"""What may be said to the replicator: that there is something to do."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Wake(Message, frozen=True):
    """Look what the archive lacks; sent after each write and now and then."""


ReplicatorMessage: TypeAlias = Wake
