"""What may be said to the observer."""

from typing import TypeAlias

from engarde_daemon.core import Message, Request
from engarde_daemon.protocol import Snapshot


class LookDue(Message, frozen=True):
    """A second has passed."""


class LookNow(Message, frozen=True):
    """Do not wait for the second to pass: a store changed, or somebody came to watch."""


class TakeSnapshot(Request[Snapshot], frozen=True):
    """Say how everything is; a snapshot that is fresh enough is given out again."""


ObserverMessage: TypeAlias = LookDue | LookNow | TakeSnapshot
