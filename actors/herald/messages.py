"""What may be said to the herald: that there may be news."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Announce(Message, frozen=True):
    """This daemon wrote something; the tidings say of whom."""


class Overheard(Message, frozen=True):
    """Another daemon wrote something."""


class LookAround(Message, frozen=True):
    """Look at everyone's news; sent now and then, since every hint can be lost."""


HeraldMessage: TypeAlias = Announce | Overheard | LookAround
