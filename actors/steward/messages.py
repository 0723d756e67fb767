"""What may be said to the steward."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Tick(Message, frozen=True):
    """Do a bounded piece of each chore."""


StewardMessage: TypeAlias = Tick
