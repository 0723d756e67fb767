"""What may be asked of the scribe."""

import msgspec

from engarde_daemon.core import Request
from engarde_daemon.domain.twins import SignedAnswer
from engarde_daemon.ports.generation import Step


class Noted(msgspec.Struct, frozen=True):
    """Whether the claim held, and what its job's answers have more by it."""

    is_held: bool
    signed: SignedAnswer | None = None


class NoteStep(Request[Noted], frozen=True):
    """Write down what happened to an item."""

    step: Step
