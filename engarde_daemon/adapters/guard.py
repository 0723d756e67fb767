"""The door in front of a store outside: through its breaker, or not at all.

Owns the rule that a store which does not answer costs a caller its patience a few times only, and
nobody's after that. What a caller may have provoked says nothing about a store's health; what a
probe meets does, since nobody asked for anything.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager

import anyio

from engarde_daemon.domain.analytics import Answer, Question
from engarde_daemon.domain.breaker import Breaker, BreakerState, Permit
from engarde_daemon.domain.errors import Evidence, Unavailable
from engarde_daemon.domain.records import ContentRecord, RecordKey, Standing, VersionRecord
from engarde_daemon.domain.snapshots import ContentSnapshot, SnapshotKey
from engarde_daemon.ports.archive import (
    Appended,
    Archive,
    ArchiveReader,
    ArchiveTable,
    Frozen,
    Span,
    StreamState,
)
from engarde_daemon.ports.bodies import BodyStore

ROWS_PER_PATIENCE = 50
FAILURE_CHARACTERS_MAX = 300


class Guard:
    """The breaker of one store, as its callers meet it."""

    def __init__(self, name: str, breaker: Breaker, *, changed: Callable[[], None]) -> None:
        self.name = name
        self.breaker = breaker
        self._changed = changed
        self.failure = ""
        """What the last call met that failed."""

    @property
    def is_closed(self) -> bool:
        """Whether calls pass."""
        return self.breaker.state is BreakerState.CLOSED

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Let a call through for somebody's sake.

        Raises:
            Unavailable: The store is left alone now, or failed on this call.
        """
        permit = self.breaker.permit()
        if permit is None:
            raise Unavailable(
                f"{self.name} does not answer and is left alone for a while.",
                after_s=max(1.0, self.breaker.retry_after_s),
            )
        try:
            async with self._watched(permit, evidence={Evidence.OUTAGE}):
                yield
        except TimeoutError as error:
            raise Unavailable(f"{self.name} did not answer in time.") from error

    async def probe(self, look: Callable[[], Awaitable[object]], *, timeout_s: float) -> bool:
        """Look whether the store answers; true where it did, or where it is no time to look."""
        permit = self.breaker.probe()
        if permit is None:
            return True
        try:
            async with self._watched(permit, evidence={Evidence.OUTAGE, Evidence.REFUSAL}):
                with anyio.fail_after(timeout_s):
                    await look()
        except (Unavailable, TimeoutError):
            return False
        return True

    @asynccontextmanager
    async def _watched(
        self, permit: Permit, *, evidence: AbstractSet[Evidence]
    ) -> AsyncIterator[None]:
        """Report how a call ends; `evidence` is what of a failure says that the store is ill."""
        before = self.breaker.state
        try:
            yield
        except (Unavailable, TimeoutError) as failure:
            if not isinstance(failure, Unavailable) or failure.evidence in evidence:
                self.breaker.settle(permit, failed=True)
                self.failure = str(failure)[:FAILURE_CHARACTERS_MAX] or "it did not answer in time"
            else:
                self.breaker.forgo(permit)
            raise
        except BaseException:
            self.breaker.forgo(permit)
            raise
        else:
            self.breaker.settle(permit, failed=False)
        finally:
            if self.breaker.state is not before:
                self._changed()


class GuardedBodies:
    """A body store behind its guard; see `BodyStore` for each call.

    A read of few rows has `patience_s`, because another place may have them; a write has all the
    time that the store allows itself.
    """

    def __init__(self, store: BodyStore, guard: Guard, *, patience_s: float) -> None:
        self._store = store
        self._guard = guard
        self._patience_s = patience_s

    async def prepare(self) -> None:
        """See `BodyStore.prepare`."""
        async with self._guard.passing():
            await self._store.prepare()

    async def put_many(
        self, records: Sequence[ContentRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """See `BodyStore.put_many`."""
        async with self._guard.passing():
            return await self._store.put_many(records, unsent=unsent)

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """See `BodyStore.get_many`."""
        async with self._guard.passing():
            with anyio.fail_after(self._patience_s * (1 + len(keys) / ROWS_PER_PATIENCE)):
                return await self._store.get_many(keys)

    async def put_versions(
        self, records: Sequence[VersionRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """See `BodyStore.put_versions`."""
        async with self._guard.passing():
            return await self._store.put_versions(records, unsent=unsent)

    async def get_versions(self, keys: Sequence[RecordKey]) -> dict[str, VersionRecord]:
        """See `BodyStore.get_versions`."""
        async with self._guard.passing():
            with anyio.fail_after(self._patience_s * (1 + len(keys) / ROWS_PER_PATIENCE)):
                return await self._store.get_versions(keys)

    async def standing(self, keys: Sequence[RecordKey]) -> dict[str, Standing]:
        """See `BodyStore.standing`."""
        async with self._guard.passing():
            return await self._store.standing(keys)

    async def delete_many(self, tenant_id: str, ids: Sequence[str]) -> int:
        """See `BodyStore.delete_many`."""
        async with self._guard.passing():
            return await self._store.delete_many(tenant_id, ids)

    async def scan(self, tenant_id: str | None = None) -> AsyncIterator[ContentRecord]:
        """See `BodyStore.scan`."""
        async with self._guard.passing():
            async for record in self._store.scan(tenant_id):
                yield record


class GuardedReader:
    """An archive's reader behind its guard; see `ArchiveReader` for each call."""

    def __init__(self, archive: ArchiveReader, guard: Guard) -> None:
        self._archive = archive
        self._guard = guard

    async def get_many(
        self, keys: Sequence[RecordKey], span: Span
    ) -> dict[RecordKey, ContentSnapshot]:
        """See `ArchiveReader.get_many`."""
        async with self._guard.passing():
            return await self._archive.get_many(keys, span)

    async def newest(
        self, tenant_id: str, content_ids: Sequence[str], span: Span
    ) -> dict[str, ContentSnapshot]:
        """See `ArchiveReader.newest`."""
        async with self._guard.passing():
            return await self._archive.newest(tenant_id, content_ids, span)

    async def scan(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[ContentSnapshot]]:
        """See `ArchiveReader.scan`."""
        async with self._guard.passing():
            async for page in self._archive.scan(span, tenant_id=tenant_id, brand_id=brand_id):
                yield page

    async def keys(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[SnapshotKey]]:
        """See `ArchiveReader.keys`."""
        async with self._guard.passing():
            async for page in self._archive.keys(span, tenant_id=tenant_id, brand_id=brand_id):
                yield page


class GuardedArchive(GuardedReader):
    """A whole archive behind its guard; see `ArchiveWriter` for each call."""

    def __init__(self, archive: Archive, guard: Guard) -> None:
        super().__init__(archive, guard)
        self._whole = archive

    async def prepare(self) -> None:
        """See `ArchiveWriter.prepare`."""
        async with self._guard.passing():
            await self._whole.prepare()

    async def open_stream(self, table: ArchiveTable) -> str:
        """See `ArchiveWriter.open_stream`."""
        async with self._guard.passing():
            return await self._whole.open_stream(table)

    async def append(self, batch: Frozen) -> Appended:
        """See `ArchiveWriter.append`."""
        async with self._guard.passing():
            return await self._whole.append(batch)

    async def close_stream(self, stream: str) -> StreamState:
        """See `ArchiveWriter.close_stream`."""
        async with self._guard.passing():
            return await self._whole.close_stream(stream)

    async def held(self, table: ArchiveTable, row_ids: Sequence[str], span: Span) -> frozenset[str]:
        """See `ArchiveWriter.held`."""
        async with self._guard.passing():
            return await self._whole.held(table, row_ids, span)

    async def erase(self, tenant_id: str, content_ids: Sequence[str]) -> int:
        """See `ArchiveWriter.erase`."""
        async with self._guard.passing():
            return await self._whole.erase(tenant_id, content_ids)

    async def forget_versions(self, tenant_id: str, snapshot_ids: Sequence[str]) -> int:
        """See `ArchiveWriter.forget_versions`."""
        async with self._guard.passing():
            return await self._whole.forget_versions(tenant_id, snapshot_ids)

    async def sums(self, question: Question, *, besides: Sequence[str], most: int) -> Answer:
        """See `FigureReader.sums`."""
        async with self._guard.passing():
            return await self._whole.sums(question, besides=besides, most=most)
