"""Ports that say how long they took; everything else is done by those they wrap.

Owns that tracing stays out of the work: without an endpoint none of these exist, and with one the
actors know nothing of it. A batch is caused by many requests, so its span is linked to all of them.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar

from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.archive import ArchiveTable
from engarde_daemon.ports.content import (
    ContentKey,
    ContentLog,
    Head,
    Outcome,
    VersionKey,
)
from engarde_daemon.ports.models import Ask, Hear, LanguageModel, ModelHouse, Reply, Secret
from engarde_daemon.ports.outbox import CLAIM_BYTES, Backlog, Outbox, Parcel
from engarde_daemon.ports.replication import Batch, Standing, StreamBook, Turn
from engarde_daemon.ports.replication import Outcome as BatchOutcome
from engarde_daemon.ports.tracing import Span, TraceBook, Tracer

LINKS_MAX = 128

_CARRIED: ContextVar[Span | None] = ContextVar("_CARRIED", default=None)


class TracedContentLog:
    """A `ContentLog` whose commits are spans."""

    def __init__(self, log: ContentLog, tracer: Tracer) -> None:
        self._log = log
        self._tracer = tracer

    async def heads(self, keys: Sequence[ContentKey]) -> dict[ContentKey, Head]:
        """See `ContentLog.heads`."""
        return await self._log.heads(keys)

    async def versions(self, keys: Sequence[VersionKey]) -> dict[VersionKey, Item]:
        """See `ContentLog.versions`."""
        return await self._log.versions(keys)

    async def commit(self, writes: Sequence[Write], *, whole: bool = False) -> list[Outcome]:
        """See `ContentLog.commit`."""
        causes = sorted({write.trace for write in writes if write.trace})[:LINKS_MAX]
        parent = causes[0] if len(causes) == 1 else None
        with self._tracer.span("ingest commit", parent=parent, links=causes) as span:
            span.set({"engarde.writes": len(writes)})
            return await self._log.commit(writes, whole=whole)


class TracedOutbox:
    """An `Outbox` in which the time from a claim to its end is a span."""

    def __init__(self, outbox: Outbox, book: TraceBook, tracer: Tracer) -> None:
        self._outbox = outbox
        self._book = book
        self._tracer = tracer

    async def claim(
        self, destination: str, *, limit: int, lease_s: float, bytes_max: int = CLAIM_BYTES
    ) -> list[Parcel]:
        """See `Outbox.claim`."""
        parcels = await self._outbox.claim(
            destination, limit=limit, lease_s=lease_s, bytes_max=bytes_max
        )
        if parcels:
            links = await _causes(self._book, [parcel.id for parcel in parcels])
            span = self._tracer.begin("delivery", links=links)
            span.set({"engarde.versions": len(parcels)})
            _CARRIED.set(span)
        return parcels

    async def settle(self, parcels: Sequence[Parcel]) -> int:
        """See `Outbox.settle`."""
        settled = await self._outbox.settle(parcels)
        _end_carried({"engarde.settled": settled})
        return settled

    async def defer(self, parcels: Sequence[Parcel], *, after_s: float, reason: str) -> None:
        """See `Outbox.defer`."""
        _end_carried({"engarde.deferred": len(parcels)}, reason)
        await self._outbox.defer(parcels, after_s=after_s, reason=reason)

    async def expedite(self, destination: str, *, most: int) -> int:
        """See `Outbox.expedite`."""
        return await self._outbox.expedite(destination, most=most)

    async def backlog(self) -> Mapping[str, Backlog]:
        """See `Outbox.backlog`."""
        return await self._outbox.backlog()

    async def staged_bytes(self) -> int:
        """See `Outbox.staged_bytes`."""
        return await self._outbox.staged_bytes()


class TracedStreamBook:
    """A `StreamBook` in which the time from a frozen batch to its end is a span."""

    def __init__(self, book: StreamBook, causes: TraceBook, tracer: Tracer) -> None:
        self._book = book
        self._causes = causes
        self._tracer = tracer

    async def take_turn(self, table: ArchiveTable, *, lease_s: float) -> Turn | None:
        """See `StreamBook.take_turn`."""
        turn = await self._book.take_turn(table, lease_s=lease_s)
        if turn is not None and turn.batch is not None:
            await self._begin(turn.batch.outbox_ids)
        return turn

    async def give_back(self, turn: Turn) -> None:
        """See `StreamBook.give_back`."""
        _end_carried({}, "the batch was not finished")
        await self._book.give_back(turn)

    async def freeze(
        self, turn: Turn, outbox_ids: Sequence[int], *, began: str | None, lease_s: float
    ) -> Batch:
        """See `StreamBook.freeze`."""
        await self._begin(outbox_ids)
        return await self._book.freeze(turn, outbox_ids, began=began, lease_s=lease_s)

    async def finish(self, turn: Turn, outcome: BatchOutcome, *, lease_s: float) -> None:
        """See `StreamBook.finish`."""
        await self._book.finish(turn, outcome, lease_s=lease_s)
        _end_carried(
            {"engarde.stored": len(outcome.stored), "engarde.refused": len(outcome.refused)}
        )

    async def standing(self, table: ArchiveTable) -> Standing:
        """See `StreamBook.standing`."""
        return await self._book.standing(table)

    async def _begin(self, outbox_ids: Sequence[int]) -> None:
        span = self._tracer.begin("replication", links=await _causes(self._causes, outbox_ids))
        span.set({"engarde.versions": len(outbox_ids)})
        _CARRIED.set(span)


class TracedModels:
    """A `ModelHouse` whose models' calls are spans."""

    def __init__(self, house: ModelHouse, tracer: Tracer) -> None:
        self._house = house
        self._tracer = tracer

    def model_of(self, provider: str, secret: Secret | None) -> LanguageModel:
        """See `ModelHouse.model_of`."""
        return _TracedModel(self._house.model_of(provider, secret), provider, self._tracer)

    async def try_key(self, provider: str, secret: Secret) -> None:
        """See `ModelHouse.try_key`."""
        await self._house.try_key(provider, secret)

    async def close(self) -> None:
        """See `ModelHouse.close`."""
        await self._house.close()


class _TracedModel:
    def __init__(self, model: LanguageModel, provider: str, tracer: Tracer) -> None:
        self._model = model
        self._provider = provider
        self._tracer = tracer

    async def write(self, ask: Ask, hear: Hear | None = None) -> Reply:
        with self._tracer.span("model call") as span:
            # https://opentelemetry.io/docs/specs/semconv/gen-ai/
            span.set({"gen_ai.provider.name": self._provider, "gen_ai.request.model": ask.model})
            reply = await self._model.write(ask, hear)
            span.set({"gen_ai.response.model": reply.model or ask.model})
            return reply


async def _causes(book: TraceBook, outbox_ids: Sequence[int]) -> list[str]:
    # Where they cannot be told, the work goes on without links.
    with suppress(Unavailable):
        return await book.causes(outbox_ids)
    return []


def _end_carried(figures: Mapping[str, int], trouble: str = "") -> None:
    span = _CARRIED.get()
    if span is None:
        return
    _CARRIED.set(None)
    span.set(figures)
    if trouble:
        span.fail(trouble)
    span.end()
