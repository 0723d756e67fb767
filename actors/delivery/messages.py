"""What may be said to delivery: that there is something to do."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Wake(Message, frozen=True):
    """Look into the outbox; sent after each write and now and then, since a hint can be lost."""


DeliveryMessage: TypeAlias = Wake
