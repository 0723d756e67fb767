"""Mutants: mistakes that somebody could make in the daemon, each of which a fault case must notice.

Owns the proof that the cases can fail. A mutant replaces one method of one class in its process, so
that the product knows nothing of it. Mistakes in the SQL are planted by the tests themselves, in
their own database.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.generation import PostgresWorkBench
from engarde_daemon.adapters.postgres.jobs import PostgresInventory
from engarde_daemon.adapters.postgres.media import PostgresMediaBook
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.replication import PostgresReplicationBook
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.generation import ItemState
from engarde_daemon.domain.importing import Origin
from engarde_daemon.domain.records import VersionRecord
from engarde_daemon.domain.recovery import Place, Scope
from engarde_daemon.ports.content import ContentKey
from engarde_daemon.ports.content import Outcome as WriteOutcome
from engarde_daemon.ports.generation import Step
from engarde_daemon.ports.media import Leftover
from engarde_daemon.ports.outbox import Parcel
from engarde_daemon.ports.recovery import Entry
from engarde_daemon.ports.replication import Batch, Outcome, Turn
from engarde_daemon.ports.retention import Removal


def _plant(owner: type, name: str, mistake: Callable[..., Any]) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner.__name__} has no {name} any more")
    setattr(owner, name, mistake)


def _acknowledge_before_commit() -> None:
    """Answer writes at once, and commit them with the next ones."""
    commit = PostgresContentLog.commit
    owed: list[Sequence[Write]] = []

    async def mistaken(
        self: PostgresContentLog, writes: Sequence[Write], *, whole: bool = False
    ) -> Sequence[WriteOutcome]:
        while owed:
            await commit(self, owed.pop(0), whole=whole)
        owed.append(writes)
        return [write.item for write in writes]

    _plant(PostgresContentLog, "commit", mistaken)


def _settle_before_delivery() -> None:
    """Take versions out of the outbox when they are claimed, before ZeroDB has them."""
    claim = PostgresOutbox.claim

    async def mistaken(self: PostgresOutbox, destination: str, **limits: Any) -> list[Parcel]:
        parcels = await claim(self, destination, **limits)
        await self.settle(parcels)
        return parcels

    _plant(PostgresOutbox, "claim", mistaken)


def _record_before_append() -> None:
    """Note a batch as archived when it is frozen, before the archive has it."""
    freeze = PostgresReplicationBook.freeze

    async def mistaken(
        self: PostgresReplicationBook, turn: Turn, outbox_ids: Sequence[int], **given: Any
    ) -> Batch:
        batch = await freeze(self, turn, outbox_ids, **given)
        noted = Outcome(stored=batch.outbox_ids, advance=len(batch.outbox_ids))
        await self.finish(turn, noted, lease_s=given["lease_s"])
        return batch

    _plant(PostgresReplicationBook, "freeze", mistaken)


def _leave_answers_unwritten() -> None:
    """Make content of a paid answer that was never written down."""
    note = PostgresWorkBench.note

    async def mistaken(self: PostgresWorkBench, steps: Sequence[Step]) -> dict[int, int | None]:
        kept = [n for n, step in enumerate(steps) if step.state is not ItemState.RECEIVED]
        held = await note(self, [steps[n] for n in kept])
        skipped = {n: None for n, step in enumerate(steps) if step.state is ItemState.RECEIVED}
        return {kept[n]: place for n, place in held.items()} | skipped

    _plant(PostgresWorkBench, "note", mistaken)


def _leave_bytes_lying() -> None:
    """Never remove what was stored for an upload that was given up."""

    async def mistaken(self: PostgresMediaBook, most: int, *, lease_s: float) -> list[Leftover]:
        del self, most, lease_s
        return []

    _plant(PostgresMediaBook, "claim_leftovers", mistaken)


def _name_assets_anew() -> None:
    """Give an asset another name at each attempt."""

    def mistaken(self: Origin, external_id: str) -> str:
        return f"{self.space_id}/{external_id}/{uuid.uuid4()}"

    _plant(Origin, "source_id", mistaken)


def _cut_batches_anew() -> None:
    """Forget the batch that was under way, and send its rows in another."""
    take_turn = PostgresReplicationBook.take_turn

    async def mistaken(self: PostgresReplicationBook, table: Any, *, lease_s: float) -> Turn | None:
        turn = await take_turn(self, table, lease_s=lease_s)
        if turn is None or turn.batch is None:
            return turn
        await self.finish(turn, Outcome(stream_ends=True), lease_s=lease_s)
        return msgspec.structs.replace(turn, batch=None, stream=None)

    _plant(PostgresReplicationBook, "take_turn", mistaken)


def _carry_only_once() -> None:
    """Never carry a version again of which nobody knows what became."""
    claim = PostgresOutbox.claim

    async def mistaken(self: PostgresOutbox, destination: str, **limits: Any) -> list[Parcel]:
        return [one for one in await claim(self, destination, **limits) if one.attempts == 1]

    _plant(PostgresOutbox, "claim", mistaken)


def _leave_versions_untold() -> None:
    """Take a version for delivered when its body is, whatever it changed."""

    async def mistaken(
        self: EmbeddedZeroDB, records: Sequence[VersionRecord], **unsent: Any
    ) -> frozenset[str]:
        del self, unsent
        return frozenset(record.id for record in records)

    _plant(EmbeddedZeroDB, "put_versions", mistaken)


def _let_the_eraser_remove() -> None:
    """Let nobody but the process that erased a content remove its rows."""
    erase, claim = PostgresRetention.erase, PostgresRetention.claim_removals
    erased: list[ContentKey] = []

    async def noting(self: PostgresRetention, key: ContentKey, **given: Any) -> int | None:
        erased.append(key)
        return await erase(self, key, **given)

    async def mistaken(self: PostgresRetention, destination: str, most: int) -> list[Removal]:
        return await claim(self, destination, most) if erased else []

    _plant(PostgresRetention, "erase", noting)
    _plant(PostgresRetention, "claim_removals", mistaken)


def _go_on_a_page_too_far() -> None:
    """Take the page after the place at which a restore stood for done."""
    after = PostgresInventory.after
    resumed: list[Place] = []

    async def mistaken(
        self: PostgresInventory, place: Place, scope: Scope, *, most: int
    ) -> Sequence[Entry]:
        page = await after(self, place, scope, most=most)
        is_resumed = not resumed and place != Place()
        resumed.append(place)
        if is_resumed and page:
            last = page[-1].item
            return await after(self, Place(last.tenant_id, last.id, last.version), scope, most=most)
        return page

    _plant(PostgresInventory, "after", mistaken)


MUTANTS: Mapping[str, Callable[[], None]] = {
    "acknowledge-before-commit": _acknowledge_before_commit,
    "settle-before-delivery": _settle_before_delivery,
    "leave-versions-untold": _leave_versions_untold,
    "carry-only-once": _carry_only_once,
    "record-before-append": _record_before_append,
    "cut-batches-anew": _cut_batches_anew,
    "leave-answers-unwritten": _leave_answers_unwritten,
    "leave-bytes-lying": _leave_bytes_lying,
    "name-assets-anew": _name_assets_anew,
    "let-the-eraser-remove": _let_the_eraser_remove,
    "go-on-a-page-too-far": _go_on_a_page_too_far,
}
"""What each is called, and what makes this process one."""
