"""A migrated database for each test, and a way to run commands on it."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import Result

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.migrations import migrate
from tests.support.commands import run_command
from tests.support.postgres import fresh_database, postgres_server

__all__ = ["Engarde", "postgres_server"]

Engarde = Callable[..., Result]


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A command configures the logging of its process, which here is the test run's."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
async def template(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database with the whole schema, to be copied."""
    async with fresh_database(postgres_server) as name:
        await migrate(postgres_server.dsn(database=name))
        yield name


@pytest.fixture
async def dsn(postgres_server: EmbeddedPostgres, template: str) -> AsyncIterator[str]:
    """The address of a migrated database of one's own."""
    async with fresh_database(postgres_server, template) as name:
        yield postgres_server.dsn(database=name)


@pytest.fixture
def run(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engarde:
    """Run a command on the test's database, in an empty directory."""
    monkeypatch.chdir(tmp_path)

    return partial(run_command, environ={"ENGARDE_POSTGRES__DSN": dsn})


def answer_of(result: Result) -> dict[str, Any]:
    """The one object that a command printed with `--json`."""
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer
