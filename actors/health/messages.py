"""What may be said to the health actor."""

from typing import TypeAlias

from engarde_daemon.core import Message, Request
from engarde_daemon.domain.vitals import StoreVitals


class ProbeDue(Message, frozen=True):
    """Look at the stores now; also sent when a call found that one of them changed."""


class FailOver(Request[StoreVitals], frozen=True):
    """Keep every daemon from asking ZeroDB, whatever it does, until `FailBack`."""

    ordered_by: str


class FailBack(Request[StoreVitals], frozen=True):
    """Let ZeroDB be asked again, as soon as probes and samples find it well."""

    ordered_by: str


HealthMessage: TypeAlias = ProbeDue | FailOver | FailBack
