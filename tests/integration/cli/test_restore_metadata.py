"""`engarde restore metadata` where there is nothing to restore from, and where it takes its time."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.records import WRITTEN_AT
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with
from tests.integration.cli.conftest import Engarde, answer_of
from tests.integration.cli.test_unready_server import CANNOT_BE_READ
from tests.support.patience import PATIENCE_S
from tests.support.postgres import fresh_database

_TABLES = "select count(*) from pg_tables where schemaname in ('public', 'engarde')"


@pytest.fixture
async def dsn(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database without any table."""
    async with fresh_database(postgres_server) as name:
        yield postgres_server.dsn(database=name)


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[EmbeddedArchive]:
    """The archive of the directory in which commands run, with no version in it."""
    place = tmp_path / "data" / "archive"
    async with EmbeddedArchive(place, timeout_s=PATIENCE_S, now=lambda: 0.0) as archive:
        await archive.prepare()
        yield archive


async def put_a_version(archive: EmbeddedArchive) -> None:
    """Have something to restore."""
    row = snapshot_with(
        "Body", content_id="c1", tenant_id="acme", at=WRITTEN_AT + timedelta(days=1)
    )
    await archive.append(frozen_of([row], stream="files", offset=0, first_id=1))


async def tables_of(dsn: str) -> int:
    """How many tables there are."""
    link = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    try:
        return int(await link.fetchval(_TABLES))
    finally:
        await link.close(timeout=PATIENCE_S)


async def test_without_an_archive_nothing_is_touched(run: Engarde, dsn: str, tmp_path: Path):
    """Whoever names the wrong directory is told, and finds nothing new in it."""
    ended = run("restore", "metadata", "--data-dir", "wrong")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "There is no archive in" in ended.stderr
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - an async function may not ask a path
    assert await tables_of(dsn) == 0


@pytest.mark.usefixtures("archive")
async def test_an_archive_without_versions_is_no_success(run: Engarde, dsn: str):
    """A restore of nothing is not what anybody wants."""
    ended = run("restore", "metadata", "--json")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "holds no version" in ended.stderr
    assert await tables_of(dsn) == 0


async def test_statements_may_take_as_long_as_they_need(
    run: Engarde, archive: EmbeddedArchive, monkeypatch: pytest.MonkeyPatch
):
    """`[postgres] statement_timeout_s` is for requests; this one reckons over everything there is."""
    await put_a_version(archive)
    monkeypatch.setenv("ENGARDE_POSTGRES__STATEMENT_TIMEOUT_S", "0.0001")

    assert answer_of(run("restore", "metadata", "--json"))["versions"] == 1


async def test_a_url_that_cannot_be_read_is_not_quoted(run: Engarde, archive: EmbeddedArchive):
    """It may hold a password."""
    await put_a_version(archive)

    ended = run("restore", "metadata", environ={"ENGARDE_POSTGRES__DSN": CANNOT_BE_READ})

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert "[postgres] dsn cannot be understood" in ended.stderr
    assert "s3" not in ended.stderr
