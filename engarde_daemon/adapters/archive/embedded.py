"""The archive port on Parquet files in a folder of its own.

Owns the promise that an appended batch lies on the disk, and that appending it again changes
nothing: a batch is its numbers, and its numbers are the name of its files. Any process may read the
folder meanwhile; the lease of replication sees to it that one daemon at a time appends.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import duckdb
import structlog
from anyio import to_thread

from engarde_daemon.adapters.archive import adding, reading, rewriting, writing
from engarde_daemon.adapters.archive.engine import SQL, Engine
from engarde_daemon.adapters.archive.walking import walk
from engarde_daemon.adapters.archive.whereabouts import Whereabouts
from engarde_daemon.adapters.archive.writing import days_of
from engarde_daemon.domain.analytics import Answer, Question
from engarde_daemon.domain.archive_tables import refusal_of
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.snapshots import ContentSnapshot, SnapshotKey
from engarde_daemon.ports.archive import Appended, ArchiveTable, Frozen, Span, StreamState

STREAM = "files"
SWEEP_EVERY_S = 60.0
REWRITE_TIMEOUT_S = 600.0
_KEYS_PER_PAGE = 5_000
_LOG = structlog.get_logger("engarde.archive")

_T = TypeVar("_T")


class EmbeddedArchive:
    """An archive in a folder; use it as an async context manager."""

    def __init__(self, root: Path, *, timeout_s: float, now: Callable[[], float]) -> None:
        self._root = root
        self._now = now
        self._engine = Engine(root, timeout_s=timeout_s)
        self._rewriter = Engine(root, timeout_s=REWRITE_TIMEOUT_S, threads=1)
        self._whereabouts = Whereabouts()
        self._sweep_at = 0.0

    async def __aenter__(self) -> Self:
        """Start the engine.

        Raises:
            Unavailable: The folder cannot be made or used.
        """
        await self._engine.open()
        await self._rewriter.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._engine.close()
        await self._rewriter.close()

    async def prepare(self) -> None:
        """See `ArchiveWriter.prepare`."""
        if await to_thread.run_sync(writing.without_empty, self._root):
            await self._engine.run(partial(writing.write_empty, root=self._root))

    async def open_stream(self, table: ArchiveTable) -> str:
        """See `ArchiveWriter.open_stream`; the files of a table are one endless stream."""
        return f"{STREAM}/{table}"

    async def append(self, batch: Frozen) -> Appended:
        """See `ArchiveWriter.append`."""
        refused = {
            place: reason
            for place, row in enumerate(batch.rows)
            if (reason := refusal_of(batch.table, row)) is not None
        }
        if refused:
            return Appended(refused)
        await self._engine.run(partial(writing.write_batch, root=self._root, batch=batch))
        await self._tidy(batch)
        return Appended()

    async def close_stream(self, stream: str) -> StreamState:
        """See `ArchiveWriter.close_stream`; nobody counts, `held` tells."""
        del stream
        return StreamState(None)

    async def held(self, table: ArchiveTable, row_ids: Sequence[str], span: Span) -> frozenset[str]:
        """See `ArchiveWriter.held`."""
        return await self._ask(partial(reading.held, table=table, row_ids=row_ids, span=span))

    async def erase(self, tenant_id: str, content_ids: Sequence[str]) -> int:
        """See `ArchiveWriter.erase`."""
        return await self._rewriter.run(
            partial(self._erase, tenant_id=tenant_id, content_ids=content_ids)
        )

    async def forget_versions(self, tenant_id: str, snapshot_ids: Sequence[str]) -> int:
        """See `ArchiveWriter.forget_versions`."""
        return await self._rewriter.run(
            partial(
                rewriting.forget_versions,
                root=self._root,
                tenant_id=tenant_id,
                snapshot_ids=snapshot_ids,
            )
        )

    async def get_many(
        self, keys: Sequence[RecordKey], span: Span
    ) -> dict[RecordKey, ContentSnapshot]:
        """See `ArchiveReader.get_many`."""
        return await self._ask(
            partial(reading.versions, whereabouts=self._whereabouts, keys=keys, span=span)
        )

    async def newest(
        self, tenant_id: str, content_ids: Sequence[str], span: Span
    ) -> dict[str, ContentSnapshot]:
        """See `ArchiveReader.newest`."""
        return await self._ask(
            partial(
                reading.newest,
                whereabouts=self._whereabouts,
                tenant_id=tenant_id,
                content_ids=content_ids,
                span=span,
            )
        )

    def scan(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[ContentSnapshot]]:
        """See `ArchiveReader.scan`."""
        whose = {"tenant_id": tenant_id, "brand_id": brand_id}
        return walk(self._engine, root=self._root, span=span, whose=whose)

    async def keys(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[SnapshotKey]]:
        """See `ArchiveReader.keys`."""
        whose = {"tenant_id": tenant_id, "brand_id": brand_id, **reading.bounds(span)}
        within = partial(reading.question, self._root, span, whose)
        pages = self._engine.pages(SQL["keys"], within, size=_KEYS_PER_PAGE, make=reading.key_from)
        last: SnapshotKey | None = None
        async with aclosing(pages) as found:
            async for page in found:
                # A row that was sent twice follows itself.
                yield [
                    key for before, key in zip([last, *page], page, strict=False) if key != before
                ]
                last = page[-1]

    async def sums(self, question: Question, *, besides: Sequence[str], most: int) -> Answer:
        """See `FigureReader.sums`."""
        return await self._ask(partial(adding.sums, question=question, besides=besides, most=most))

    async def _ask(self, question: Callable[..., _T]) -> _T:
        return await self._engine.run(partial(question, root=self._root))

    async def _tidy(self, batch: Frozen) -> None:
        """Merge small files where there are many; that it fails harms nobody but the next reader."""
        try:
            days = days_of(batch)
            await self._rewriter.run(
                partial(rewriting.merge, root=self._root, table=batch.table, days=days)
            )
            if self._now() >= self._sweep_at:
                self._sweep_at = self._now() + SWEEP_EVERY_S
                await self._rewriter.run(self._sweep)
        except Unavailable as error:
            _LOG.warning("files of the archive were not merged", reason=str(error)[:300])

    def _erase(
        self, cursor: duckdb.DuckDBPyConnection, *, tenant_id: str, content_ids: Sequence[str]
    ) -> int:
        """Erase rows, and sweep away what a crash may have left of them unfinished."""
        erased = rewriting.erase(
            cursor, root=self._root, tenant_id=tenant_id, content_ids=content_ids
        )
        rewriting.sweep(self._root, now=self._now())
        return erased

    def _sweep(self, cursor: duckdb.DuckDBPyConnection) -> None:
        rewriting.merge_quiet_days(cursor, root=self._root, now=self._now())
        rewriting.sweep(self._root, now=self._now())
