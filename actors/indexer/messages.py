"""What may be said to the indexer: that there is something to do."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Wake(Message, frozen=True):
    """Look for versions that are not indexed yet."""


IndexerMessage: TypeAlias = Wake
