"""The replicator: all that is owed to a table of the archive gets there, in batches never cut otherwise.

Owns the order of a batch's life: chosen, frozen in PostgreSQL, appended, noted as stored, and settled
before anything else is chosen, mostly while the next batch is on its way. Whoever dies in between
leaves a frozen batch, which the next one sends again to the same place, or a stored one, which the
next one settles: no gap, and no repeat where the archive counts places. One daemon at a time has
the turn to write. It gives way to people like all background work.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta

import anyio
import msgspec
import structlog

from actors.clock import ticking
from actors.replicator.ahead import Ahead
from actors.replicator.cargo import Cargo, Lot
from actors.replicator.messages import ReplicatorMessage, Wake
from actors.replicator.sending import Sending
from engarde_daemon.core import Actor
from engarde_daemon.domain.errors import Denied, StreamLost, Unavailable
from engarde_daemon.domain.vitals import ArchiveVitals
from engarde_daemon.failpoints import (
    REPLICATOR_AFTER_APPEND,
    REPLICATOR_AFTER_FINISH,
    REPLICATOR_AFTER_FREEZE,
)
from engarde_daemon.ports.archive import ArchiveWriter, Span
from engarde_daemon.ports.replication import Batch, Outcome, StreamBook, Turn, TurnOver

RETRY_MAX_S = 60.0
GIVE_BACK_S = 5.0
GIVING_WAY_ITEMS = 100
"""As many go at once while it gives way: a whole batch would hold up those it gives way to."""

_LOG = structlog.get_logger("engarde.replicator")


class ReplicatorPace(msgspec.Struct, frozen=True, kw_only=True):
    """How much is sent at once, and how often it is looked for without a hint."""

    batch_items: int = 2000
    batch_bytes: int = 8_000_000
    lease_s: float = 30.0
    poll_s: float = 1.0


class Replicator(Actor[ReplicatorMessage]):
    """Carries what is owed to one table of the archive until it lacks nothing."""

    def __init__(
        self,
        book: StreamBook,
        archive: ArchiveWriter,
        cargo: Cargo,
        *,
        pace: ReplicatorPace,
        rest_s: Callable[[], float],
        clock: Callable[[], float],
        publish: Callable[[ArchiveVitals], None],
    ) -> None:
        self._book = book
        self._archive = archive
        self._cargo = cargo
        self._pace = pace
        self._rest_s = rest_s
        self._clock = clock
        self._publish = publish
        self._prepared = False
        self._epoch = 0
        self._failures = 0
        self._not_before = 0.0

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to look regularly."""
        await ticking(resources, self.own, Wake(), every_s=self._pace.poll_s)

    async def receive(self, message: ReplicatorMessage) -> None:
        """Send what there is; after a failure, not before some time has passed."""
        del message
        if self._clock() < self._not_before:
            return
        trouble = None
        try:
            await self._work_off()
            self._failures = 0
        except TurnOver:
            _LOG.info("another daemon took the archive's stream over")
        except (Unavailable, Denied) as error:
            trouble = str(error)
            self._failures = min(self._failures + 1, 7)
            self._not_before = self._clock() + min(RETRY_MAX_S, 2.0**self._failures / 2)
            _LOG.warning(
                "replication waits",
                table=self._cargo.table.value,
                reason=trouble[:300],
                failures=self._failures,
            )
        await self._tell(trouble)

    async def _work_off(self) -> None:
        if not self._prepared:
            await self._archive.prepare()
            self._prepared = True
        turn = await self._book.take_turn(self._cargo.table, lease_s=self._pace.lease_s)
        if turn is None:
            return
        self._epoch = turn.token
        try:
            await self._carry(turn)
        finally:
            await self._give_back(turn)

    async def _give_back(self, turn: Turn) -> None:
        # Where PostgreSQL does not answer, the lease runs out.
        with anyio.move_on_after(GIVE_BACK_S, shield=True), suppress(Unavailable):
            await self._book.give_back(turn)

    async def _carry(self, turn: Turn) -> None:
        """Send batch after batch, the one under way first, until nothing is left or it is paused."""
        ahead = Ahead(self._read, clock=self._clock)
        while not self.is_paused:
            rest_s = self._rest_s()
            await anyio.sleep(rest_s)
            most = self._most(is_giving_way=rest_s > 0)
            sending = await self._next(turn, ahead.take(), most=most)
            if sending is None:
                return
            if rest_s > 0:
                outcome = await self._send(sending)
            else:
                outcome = await ahead.while_sending(self._send(sending), sending.batch.outbox_ids)
            await self._book.finish(turn, outcome, lease_s=self._pace.lease_s)
            await REPLICATOR_AFTER_FINISH.reached()
            turn = sending.turn_after(outcome)

    async def _next(self, turn: Turn, lot: Lot | None, *, most: int) -> Sending | None:
        if turn.batch is not None:
            lot = await self._cargo.load(turn.batch.outbox_ids)
            return Sending.of(turn, turn.batch, lot)
        while lot is None or not lot.ids:
            lot = await self._read(most=most)
            if lot is None:
                return None
        return Sending.of(turn, await self._freeze(turn, lot), lot)

    async def _read(self, under_way: Sequence[int] = (), *, most: int | None = None) -> Lot | None:
        items = most or self._pace.batch_items
        return await self._cargo.due(
            items=items, size_bytes=self._pace.batch_bytes, under_way=under_way
        )

    def _most(self, *, is_giving_way: bool) -> int:
        most = self._pace.batch_items
        return min(most, GIVING_WAY_ITEMS) if is_giving_way else most

    async def _freeze(self, turn: Turn, lot: Lot) -> Batch:
        began = None if turn.stream else await self._archive.open_stream(turn.table)
        batch = await self._book.freeze(turn, lot.ids, began=began, lease_s=self._pace.lease_s)
        await REPLICATOR_AFTER_FREEZE.reached()
        return batch

    async def _send(self, sending: Sending) -> Outcome:
        """Append a frozen batch, and say what became of it."""
        if not sending.is_whole:
            # A content was erased, or its body is out of reach. The batch can never be sent again
            # as it was frozen, and sent otherwise it would not fit its place.
            return await self._leave_stream(sending)
        try:
            appended = await self._archive.append(sending.frozen)
        except StreamLost as lost:
            _LOG.warning("a stream of the archive was lost", reason=str(lost)[:300])
            return await self._leave_stream(sending)
        await REPLICATOR_AFTER_APPEND.reached()
        ids = sending.batch.outbox_ids
        if appended.refused:
            _LOG.warning(
                "the archive refused rows",
                table=sending.turn.table.value,
                count=len(appended.refused),
            )
        stored = ids if appended.is_whole else ids[: appended.stored]
        refused = {ids[place]: why for place, why in appended.refused.items()}
        return Outcome(stored=stored, refused=refused, advance=len(stored))

    async def _leave_stream(self, sending: Sending) -> Outcome:
        """Find out what a stream holds of its last batch; a new stream gets the rest."""
        batch = sending.batch
        state = await self._archive.close_stream(batch.stream)
        if state.rows is None:
            stored = await self._held(sending)
        else:
            there = batch.outbox_ids[: max(0, state.rows - batch.offset)]
            stored = [owed for owed in there if owed in sending.rows]
        return Outcome(stored=stored, stream_ends=True)

    async def _held(self, sending: Sending) -> list[int]:
        if not sending.rows:
            return []
        times = [row.at for row in sending.rows.values()]
        span = Span(min(times), max(times) + timedelta(microseconds=1))
        row_ids = [row.row_id for row in sending.rows.values()]
        held = await self._archive.held(sending.turn.table, row_ids, span)
        return [owed for owed, row in sending.rows.items() if row.row_id in held]

    async def _tell(self, trouble: str | None) -> None:
        try:
            standing = await self._book.standing(self._cargo.table)
        except Unavailable:
            return  # the health actor says so
        self._publish(
            ArchiveVitals(
                trouble=trouble,
                parked=standing.parked,
                backfill=standing.backfill,
                epoch=self._epoch,
            )
        )
