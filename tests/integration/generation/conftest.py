"""The fixtures of these tests: one server for the run, one migrated database for each test."""

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.sessions import Sessions
from tests.integration.generation.works import Works
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
async def works(sessions: Sessions, superuser: asyncpg.Connection) -> Works:
    """The database's part of generation."""
    return Works(sessions, superuser)
