"""Figures of content on PostgreSQL: staged as rows of the archive, ready to be sent."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.analytics import Performance, Question
from engarde_daemon.domain.archive_tables import ArchiveTable, row_of
from engarde_daemon.ports.analytics import Staging
from sql import statements

_SQL = statements("analytics")


class PostgresPerformanceBook:
    """The `PerformanceBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def stage(self, figures: Sequence[Performance]) -> Staging:
        """See `PerformanceBook.stage`."""
        by_key = {figure.metric_id: figure for figure in figures}
        given = [_staged(figure) for figure in by_key.values()]
        with translated():
            row = await self._writers.fetchrow(_SQL["stage"], msgspec.json.encode(given).decode())
        return Staging(
            staged=row["staged"], unchanged=row["unchanged"], unknown=frozenset(row["unknown"])
        )

    async def forget(self, *, older_than_s: float, most: int) -> int:
        """See `PerformanceBook.forget`."""
        with translated():
            done: str = await self._writers.execute(_SQL["forget_keys"], older_than_s, most)
        return int(done.rpartition(" ")[2])


class PostgresStagedFigures:
    """The `StagedFigures` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def waiting(self, question: Question, *, most: int) -> list[Performance]:
        """See `StagedFigures.waiting`."""
        with translated():
            rows = await self._readers.fetch(
                _SQL["waiting"],
                question.tenant_id,
                _midnight(question.since),
                _midnight(question.until),
                question.content_id,
                most,
            )
        documents = [msgspec.json.decode(row[0]) for row in rows]
        return [
            Performance.from_row(row_of(ArchiveTable.ANALYTICS, document)) for document in documents
        ]


def _staged(figure: Performance) -> dict[str, object]:
    return {
        "metric_id": figure.metric_id,
        "tenant_id": figure.tenant_id,
        "content_id": figure.content_id,
        "digest": figure.digest,
        "at": _midnight(figure.day),
        "archive_row": figure.row,
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
