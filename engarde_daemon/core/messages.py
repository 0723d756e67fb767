"""What actors say to each other.

A message is immutable, because sender and receiver hold the same object, and tagged with its
class name, so that a union of messages can be encoded and decoded as it stands. An actor's
messages live beside it, in its own `messages.py`; each repeats `frozen=True`, which it inherits
anyway, because a type checker does not see that.
"""

from typing import Generic, TypeVar

import msgspec

R_co = TypeVar("R_co", covariant=True)


class Message(msgspec.Struct, frozen=True, tag=True):
    """A command (`Wake`) or a fact (`VersionWritten`) that wants no answer."""


class Request(Message, Generic[R_co], frozen=True):
    """A message that is answered with an `R_co`."""
