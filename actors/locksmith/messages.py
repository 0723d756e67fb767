"""What may be said to the locksmith."""

from typing import TypeAlias

from engarde_daemon.core import Message, Request


class SeekKey(Request[None], frozen=True):
    """Have the issuer asked for this key, unless it was asked for another one a moment ago."""

    key_id: str


class RefreshDue(Message, frozen=True):
    """Take over what the issuer publishes, if that was not done for long enough."""


LocksmithMessage: TypeAlias = SeekKey | RefreshDue
