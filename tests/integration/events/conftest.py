"""The fixtures of these tests: one server for the run, one migrated database for each test."""

import pytest

from engarde_daemon.adapters.postgres.events import PostgresEventReader
from engarde_daemon.adapters.postgres.sessions import Sessions
from tests.support.database import (
    dsn_as,
    migrated_template,
    postgres_server,
    sessions,
    superuser,
    tenant,
)

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser", "tenant"]


@pytest.fixture
def reader(sessions: Sessions) -> PostgresEventReader:
    """What listeners read with."""
    return PostgresEventReader(sessions.readers)
