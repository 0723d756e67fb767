"""The actor kernel: actors with typed mailboxes, supervised in a tree.

It knows nothing of the daemon's domain and imports nothing of it. Read `messages`, `mailbox`,
`actor`, `policy`, `child` and `supervisor` in this order.
"""

from engarde_daemon.core.actor import Actor, BatchActor
from engarde_daemon.core.errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimedOut,
    MailboxFull,
    Refusal,
    RestartLimitReached,
)
from engarde_daemon.core.health import EventKind, Health, HealthReport, KernelEvent
from engarde_daemon.core.mailbox import Address, BatchLimit
from engarde_daemon.core.messages import Message, Request
from engarde_daemon.core.policy import Restart, RestartPolicy, Strategy
from engarde_daemon.core.supervisor import Supervisor

__all__ = [
    "Actor",
    "ActorCrashed",
    "ActorError",
    "ActorStopped",
    "Address",
    "AskTimedOut",
    "BatchActor",
    "BatchLimit",
    "EventKind",
    "Health",
    "HealthReport",
    "KernelEvent",
    "MailboxFull",
    "Message",
    "Refusal",
    "Request",
    "Restart",
    "RestartLimitReached",
    "RestartPolicy",
    "Strategy",
    "Supervisor",
]
