"""What may be said to the steward."""

from typing import TypeAlias

from engarde_daemon.core import Message, Request
from engarde_daemon.ports.retention import Reason


class Tick(Message, frozen=True):
    """Do a bounded piece of each chore."""


class PublishDue(Message, frozen=True):
    """Publish what was scheduled for now."""


class EraseContent(Request[int | None], frozen=True, kw_only=True):
    """Forget a content everywhere; answers with its versions, or None where there is none."""

    erasure_id: str
    tenant_id: str
    content_id: str
    user_id: str
    reason: Reason = "request"


StewardMessage: TypeAlias = Tick | PublishDue | EraseContent
