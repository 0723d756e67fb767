"""What may be said to the health actor."""

from typing import TypeAlias

from engarde_daemon.core import Message


class ProbeDue(Message, frozen=True):
    """Look at the stores now."""


HealthMessage: TypeAlias = ProbeDue
