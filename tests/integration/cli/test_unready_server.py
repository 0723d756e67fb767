"""Commands on a server that is not as they need it: each says so in a sentence, and with no password."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from click.testing import Result

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.integration.cli.conftest import Engarde
from tests.support.commands import run_command
from tests.support.patience import PATIENCE_S
from tests.support.postgres import fresh_database

COMMANDS = [
    ("tenants", "list"),
    ("keys", "list"),
    ("archive", "status"),
    ("archive", "parked"),
    ("archive", "retry"),
    ("archive", "backfill"),
    ("retention", "--dry-run"),
    ("retention",),
]
CANNOT_BE_READ = "postgres://user:s3/cret@127.0.0.1:1/name"


@pytest.fixture
async def dsn(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database without any table."""
    async with fresh_database(postgres_server) as name:
        yield postgres_server.dsn(database=name)


@pytest.fixture
def run_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engarde:
    """Run a command on the server that is named, in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, dsn: str) -> Result:
        environ = {
            "ENGARDE_POSTGRES__DSN": dsn,
            "ENGARDE_POSTGRES__CONNECT_TIMEOUT_S": "5",
        }
        return run_command(*arguments, environ=environ)

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_the_schema_it_is_said_how_to_get_it(run: Engarde, command: tuple[str, ...]):
    """Refused, not broken."""
    ended = run(*command)

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "run `engarde migrate schema` first" in ended.stderr


@pytest.mark.parametrize("what", ["campaign-assets", "content-items"])
async def test_a_dry_run_makes_no_schema(run: Engarde, dsn: str, what: str):
    """It was told to change nothing."""
    ended = run("migrate", what, "--dry-run")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "run `engarde migrate schema` first" in ended.stderr
    link = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    try:
        assert await link.fetchval("select to_regnamespace('engarde')") is None
    finally:
        await link.close(timeout=PATIENCE_S)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_is_not_there_is_named(
    run_at: Engarde, postgres_server: EmbeddedPostgres, command: tuple[str, ...]
):
    """With the setting that names it."""
    ended = run_at(*command, dsn=postgres_server.dsn(database="nosuch"))

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert 'database "nosuch" does not exist. Check [postgres] dsn' in ended.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_url_that_cannot_be_read_is_not_quoted(run_at: Engarde, command: tuple[str, ...]):
    """It may hold a password, which no command prints."""
    ended = run_at(*command, dsn=CANNOT_BE_READ)

    assert (ended.exit_code, ended.stdout) == (3, "")
    assert "[postgres] dsn cannot be understood" in ended.stderr
    assert "s3" not in ended.stderr
