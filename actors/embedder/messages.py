"""What may be said to the embedder: that there may be something to catch up with."""

from typing import TypeAlias

from engarde_daemon.core import Message


class CatchUp(Message, frozen=True):
    """Take in what was stored before the index existed, if that was not done yet."""


EmbedderMessage: TypeAlias = CatchUp
