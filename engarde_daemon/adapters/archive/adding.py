"""Questions to the files of `content_analytics`: figures added up where they lie."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import duckdb

from engarde_daemon.adapters.archive.engine import SQL
from engarde_daemon.adapters.archive.segments import listing
from engarde_daemon.domain.analytics import Answer, Group, Question, answer_part
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.ports.archive import Span

_HOUR = Group.__struct_fields__.index("hour")


def sums(
    cursor: duckdb.DuckDBPyConnection,
    *,
    root: Path,
    question: Question,
    besides: Sequence[str],
    most: int,
) -> Answer:
    """What the figures of a question add up to, the newest revision of each."""
    days = Span(_at(question.since, time.min), _at(question.until, time.max))
    files = listing(root, ArchiveTable.ANALYTICS, days).files
    asked = {"files": files, "besides": list(besides), "most": most}
    cursor.execute(SQL["sums"], asked | question.parameters)
    return dict(answer_part(_in_utc(row)) for row in cursor.fetchall())


def _in_utc(row: tuple[object, ...]) -> list[object]:
    return [
        cell.replace(tzinfo=UTC) if place == _HOUR and isinstance(cell, datetime) else cell
        for place, cell in enumerate(row)
    ]


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, UTC)
