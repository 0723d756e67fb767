"""Content of the platform's own, moved in a batch at a time while the daemon serves.

Owns two promises. A row is moved once, whoever else moves or changes it at the same time: the write
of its version decides. And a row that is refused holds up no other: its batch is cut in halves until
it stands alone.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.rows import item_of
from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import Conflict, EngardeError, Rejected
from engarde_daemon.domain.moving import Asset, move_asset, move_item
from engarde_daemon.ports.content import Moved, Outcome
from sql import statements

BATCH_ROWS = 500
REASONS_MAX = 100

_SQL = statements("moving")
_BRANDLESS = Rejected("It belongs to no brand, so nobody could see it.")

T = TypeVar("T")
Advance = Callable[[int], None]
Plan = Write | EngardeError


class Reason(msgspec.Struct, frozen=True):
    """Why a row was not moved."""

    id: str
    reason: str


class Migration(msgspec.Struct, kw_only=True):
    """What became of a migration; `reasons` holds the first hundred.

    `recounted` is how many tenants had content that the platform wrote past the daemon, and nobody
    had counted. `skipped` rows were moved or changed by someone else in the meantime. `cleared` are old texts
    that were removed, `kept_texts` those whose new home has not proved yet that it holds them.
    """

    dry_run: bool = False
    found: int = 0
    recounted: int = 0
    migrated: int = 0
    bytes: int = 0
    skipped: int = 0
    failed: int = 0
    cleared: int = 0
    kept_texts: int = 0
    reasons: list[Reason] = msgspec.field(default_factory=list)

    def tell(self, write: Write, outcome: Outcome) -> None:
        """Count what became of a write."""
        match outcome:
            case Item():
                self.migrated += 1
                self.bytes += outcome.size_bytes
            case Moved():
                self.skipped += 1
            case EngardeError():
                self.refuse(write.item.id, outcome)
            case _:
                raise AssertionError("a write without a promise is never a replay")

    def refuse(self, row_id: str, error: EngardeError) -> None:
        """Count a row that cannot be moved, and say why."""
        self.failed += 1
        if len(self.reasons) < REASONS_MAX:
            self.reasons.append(Reason(row_id, error.detail[:300]))


class Source(Protocol):
    """Rows to be moved, in the order of their ids."""

    async def count(self) -> tuple[int, int]:
        """How many there are, and the bytes of their texts."""

    async def recount(self) -> int:
        """Count anew what is there already, for tenants whose ledger is wrong; answers how many."""

    async def plans(self, after: str) -> list[tuple[str, Plan]]:
        """The next rows, each with what it becomes or why it cannot."""


class Assets:
    """The platform's campaign assets."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def count(self) -> tuple[int, int]:
        """See `Source.count`."""
        return await _count(self._writers, "count_assets")

    async def recount(self) -> int:
        """See `Source.recount`: assets are no content yet."""
        return 0

    async def plans(self, after: str) -> list[tuple[str, Plan]]:
        """See `Source.plans`."""
        with translated():
            rows = await self._writers.fetch(_SQL["assets"], after, BATCH_ROWS)
        return [(row["id"], _planned(Asset(**row))) for row in rows]


class Items:
    """Content whose body still lies in the platform's row."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def count(self) -> tuple[int, int]:
        """See `Source.count`."""
        return await _count(self._writers, "count_items")

    async def recount(self) -> int:
        """See `Source.recount`."""
        with translated():
            tenants = await self._writers.fetch(_SQL["tenants_of_items"])
            mended = [await self._writers.fetchval(_SQL["recount"], *row) for row in tenants]
        return sum(mended)

    async def plans(self, after: str) -> list[tuple[str, Plan]]:
        """See `Source.plans`."""
        with translated():
            rows = await self._writers.fetch(_SQL["items"], after, BATCH_ROWS)
        return [
            (
                row["item"]["id"],
                _BRANDLESS if row["is_brandless"] else move_item(item_of(row["item"]), row["body"]),
            )
            for row in rows
        ]


async def move(
    source: Source, log: PostgresContentLog, *, dry_run: bool, advance: Advance
) -> Migration:
    """Move everything there is, or with `dry_run` look only.

    Raises:
        Unavailable: PostgreSQL does not answer; what was moved stays moved.
    """
    told, after = Migration(dry_run=dry_run), ""
    told.found, size = await source.count()
    if dry_run:
        told.bytes = size
    else:
        told.recounted = await source.recount()
    while planned := await source.plans(after):
        writes = [plan for _, plan in planned if isinstance(plan, Write)]
        for row_id, plan in planned:
            if isinstance(plan, EngardeError):
                told.refuse(row_id, plan)
        if not dry_run:
            for write, outcome in zip(writes, await _commit(log, writes), strict=True):
                told.tell(write, outcome)
        advance(len(planned))
        after = planned[-1][0]
    return told


async def clear(writers: asyncpg.Pool, told: Migration, advance: Advance) -> None:
    """Remove the old texts of items whose new ones are safe.

    Raises:
        Unavailable: PostgreSQL does not answer; what was cleared stays cleared.
    """
    after: str | None = ""
    while after is not None:
        with translated():
            row = await writers.fetchrow(_SQL["clear"], after, BATCH_ROWS)
        told.cleared += row["cleared"]
        told.kept_texts += row["seen"] - row["cleared"]
        advance(row["seen"])
        after = row["last"]


async def count_texts(writers: asyncpg.Pool) -> int:
    """How many old texts there are to be cleared.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    with translated():
        return int(await writers.fetchval(_SQL["count_cleared"]))


async def _commit(log: PostgresContentLog, writes: Sequence[Write]) -> list[Outcome]:
    """Make all writes; where one spoils a batch, each half is tried for itself."""
    if not writes:
        return []
    try:
        outcomes = await log.commit(writes)
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
        if len(writes) == 1:
            return [Conflict(f"The database refuses it ({error.sqlstate}).")]
    else:
        if len(writes) == 1 or not all(isinstance(outcome, Moved) for outcome in outcomes):
            return outcomes
    middle = len(writes) // 2
    return [*await _commit(log, writes[:middle]), *await _commit(log, writes[middle:])]


async def _count(writers: asyncpg.Pool, name: str) -> tuple[int, int]:
    with translated():
        row = await writers.fetchrow(_SQL[name])
    return row["found"], row["bytes"]


def _planned(asset: Asset) -> Plan:
    try:
        return move_asset(asset)
    except Rejected as refusal:
        return refusal
