"""What may be said to the auditor."""

from typing import TypeAlias

from engarde_daemon.core import Message
from engarde_daemon.ports.register import AuditEntry


class Audited(Message, frozen=True):
    """A request that is to be written down was answered."""

    entry: AuditEntry


class WriteDue(Message, frozen=True):
    """Write down what is kept."""


class ForgetDue(Message, frozen=True):
    """Remove entries that are too old."""


AuditorMessage: TypeAlias = Audited | WriteDue | ForgetDue
