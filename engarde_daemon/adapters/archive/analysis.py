"""SQL of analysts over the files of the archive, from any process and while a daemon writes.

Owns the rule that a question can do nothing but read the archive: one SELECT, in a DuckDB that can
open no file outside the archive's folder, load no extension, and whose settings are locked before
the question is looked at.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from engarde_daemon.adapters.archive.engine import SQL, connect
from engarde_daemon.adapters.archive.segments import listing
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.errors import ArchiveUnavailable, FieldError, Invalid

_ROWS_PER_PAGE = 1_000
_REASON_CHARACTERS_MAX = 500


class Answer(NamedTuple):
    """The names of the columns, and the rows as they come."""

    columns: list[str]
    rows: Iterator[dict[str, Any]]


def ask(root: Path, question: str) -> Answer:
    """Answer one SELECT.

    Raises:
        Invalid: It is no SELECT, or DuckDB cannot answer it; the error says why.
        Unavailable: There is no archive in this folder.
    """
    if not (root / ArchiveTable.SNAPSHOTS).is_dir():
        raise ArchiveUnavailable(
            f"There is no archive in {root} yet: `engarde run` makes one. "
            "Or name another directory with --data-dir."
        )
    try:
        return _answer(root, question)
    except duckdb.IOException:
        # A file was merged away between the listing and the reading; its rows lie in another now.
        return _answer(root, question)


def _answer(root: Path, question: str) -> Answer:
    database = _open(root)
    try:
        relation = database.sql(_one_select(database, question))
        relation.create_view("answer")
        answered = database.execute(SQL["as_json"])
        first = answered.fetchmany(_ROWS_PER_PAGE)
    except duckdb.IOException:
        raise
    except duckdb.Error as error:
        raise _refusal(str(error)) from error
    return Answer(database.view("answer").columns, _rows(answered, first))


def _open(root: Path) -> duckdb.DuckDBPyConnection:
    database = connect(root)
    database.execute(SQL["analyse"])
    for table in ArchiveTable:
        database.execute(SQL[f"set_{table}"], {"files": listing(root, table).files})
    database.execute(SQL["lock_to"], {"folders": [str(root)]})
    database.execute(SQL["lock"])
    database.execute(SQL["views"])
    return database


def _one_select(database: duckdb.DuckDBPyConnection, question: str) -> duckdb.Statement:
    statements = database.extract_statements(question)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise _refusal("Ask one SELECT; the archive is only read")
    return statements[0]


def _rows(
    answered: duckdb.DuckDBPyConnection, page: list[tuple[Any, ...]]
) -> Iterator[dict[str, Any]]:
    while page:
        for (text,) in page:
            yield json.loads(text)  # DuckDB writes NaN and Infinity, as Python reads them
        page = answered.fetchmany(_ROWS_PER_PAGE)


def _refusal(reason: str) -> Invalid:
    return Invalid([FieldError("SQL", reason[:_REASON_CHARACTERS_MAX])])
