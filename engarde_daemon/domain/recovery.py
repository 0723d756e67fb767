"""What an operator orders when a store was lost, and what came of it.

Owns the words of a report: how many versions were looked at, and each difference by name. A job is
done in pages, and `Place` is the last version of the last page, from which any daemon goes on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from engarde_daemon.domain.records import RecordKey, Standing

DIFFERENCES_TOLD_MAX = 500


class JobKind(StrEnum):
    """What can be ordered."""

    RESTORE = "restore"
    VERIFY = "verify"
    MIGRATE = "migrate"


class JobState(StrEnum):
    """How far an order has come."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = frozenset({JobState.PENDING, JobState.RUNNING})


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which versions are meant; None means all. `until` is the last moment they were written at."""

    tenant_id: str | None = None
    brand_id: str | None = None
    until: datetime | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it was given; `back` lets a migration lead back to where it came from."""

    scope: Scope = Scope()
    back: bool = False


class Place(msgspec.Struct, frozen=True):
    """After which version to go on; the first of all comes after this."""

    tenant_id: str = ""
    content_id: str = ""
    version: int = 0


class DifferenceKind(StrEnum):
    """What can be wrong with a row."""

    MISSING = "missing row"
    CHANGED = "changed body"
    DUPLICATE = "duplicate with other body"
    HISTORY = "missing or damaged history row"
    DAMAGED = "missing or damaged row"
    UNKNOWN = "row of no known version"
    LOST = "body that no store has"
    REFUSED = "row that the store did not prove"


class Difference(msgspec.Struct, frozen=True):
    """One thing that is not as it should be."""

    store: str
    kind: DifferenceKind
    tenant_id: str
    content_id: str
    version: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found and done so far.

    `counts` says how many versions each store has right; `waiting`, how many are still on their way
    and were not looked at. Of many differences the first are told, and all are counted.
    """

    versions: int = 0
    waiting: int = 0
    restored: int = 0
    counts: Mapping[str, int] = {}
    differences: Sequence[Difference] = ()
    differences_total: int = 0

    def plus(self, other: "Report") -> "Report":
        """This report, carried on by another."""
        names = self.counts.keys() | other.counts.keys()
        told = [*self.differences, *other.differences][:DIFFERENCES_TOLD_MAX]
        return Report(
            versions=self.versions + other.versions,
            waiting=self.waiting + other.waiting,
            restored=self.restored + other.restored,
            counts={n: self.counts.get(n, 0) + other.counts.get(n, 0) for n in sorted(names)},
            differences=told,
            differences_total=self.differences_total + other.differences_total,
        )


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job has come; `place` is None when a phase begins anew."""

    phase: str
    place: Place = Place()
    done: int = 0
    total: int = 0
    report: Report = Report()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and what has come of it."""

    id: str
    kind: JobKind
    wish: Wish
    ordered_by: str
    state: JobState
    progress: Progress
    error: str | None
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def fault_of(standing: Standing, key: RecordKey) -> DifferenceKind | None:
    """What is wrong, if one right row should stand under the key's id and nothing else."""
    right = sum(key.matches(row) for row in standing.rows)
    wrong = len(standing.rows) - right + standing.unreadable
    if not right:
        return DifferenceKind.CHANGED if wrong else DifferenceKind.MISSING
    return DifferenceKind.DUPLICATE if wrong else None


def differing(store: str, kinds: Mapping[RecordKey, DifferenceKind]) -> Report:
    """The report of nothing but these differences of a store."""
    found = [
        Difference(store, kind, key.tenant_id, key.content_id, key.version)
        for key, kind in kinds.items()
    ]
    return Report(differences=found, differences_total=len(found))
