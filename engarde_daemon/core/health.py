"""What the kernel shows of itself: health on demand, events as they happen.

`HealthReport` is the one structure that health endpoint, metrics and dashboard read, and
`KernelEvent` the one that is logged; neither holds anything that could change afterwards.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

ERROR_CHARACTERS_MAX = 300
STUCK_AFTER_S = 60.0
"""Without a sign of life for so long, an actor is taken for dead."""


class Health(StrEnum):
    """Where a child of a supervisor stands.

    ::

        WAITING → BACKING_OFF → STARTING → RUNNING ⇄ PAUSED → STOPPING → STOPPED
           ↑                       └── crash ──┴── crash ──→ FAILED        │
           └─────────────────────── restart ───────────────────┴───────────┘
    """

    WAITING = "waiting"
    BACKING_OFF = "backing_off"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


class HealthReport(msgspec.Struct, frozen=True, kw_only=True):
    """One actor or supervisor at one moment, with all that is below it."""

    path: str
    status: Health
    restarts: int
    last_error: str | None
    heartbeat_age_s: float
    """Time since the last sign of life; 0 while it runs and has nothing to do."""
    busy_s: float = 0.0
    """How long it has been working on the present message or batch."""
    depth: int = 0
    capacity: int = 0
    waiting: int = 0
    """Senders that wait for room in the mailbox."""
    oldest_message_age_s: float = 0.0
    processed: int = 0
    turns: int = 0
    """In how many batches the messages were worked off."""
    expired: int = 0
    """Requests dropped untouched, because their askers had given up."""
    children: tuple["HealthReport", ...] = ()

    def walk(self) -> Iterator["HealthReport"]:
        """Give this report and every one below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def stuck(self) -> list[str]:
        """The paths of those who have given no sign of life for too long."""
        return [report.path for report in self.walk() if report.heartbeat_age_s > STUCK_AFTER_S]


class EventKind(StrEnum):
    """What happened to a child of a supervisor."""

    STARTED = "started"
    CRASHED = "crashed"
    RESTARTING = "restarting"
    POISONED = "poisoned"
    ABANDONED = "abandoned"
    PAUSED = "paused"
    RESUMED = "resumed"
    STOPPED = "stopped"


class KernelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the supervisors' `report` hook should hear of."""

    kind: EventKind
    path: str
    error: BaseException | None = None
    delay_s: float = 0.0
    messages: int = 0
    """How many messages were abandoned: cut off at work, or never taken."""


def describe(error: BaseException) -> str:
    """Put an error's type and text in one bounded line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:ERROR_CHARACTERS_MAX]
