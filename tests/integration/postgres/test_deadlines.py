"""Nobody waits for PostgreSQL without end, and people never behind background work."""

from contextlib import AsyncExitStack

import pytest

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.keys import PostgresKeyDirectory
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.domain.errors import Unavailable
from tests.support.between import wired
from tests.support.database import dsn_as, migrated_template, postgres_server
from tests.support.postgres import fresh_database

__all__ = ["dsn_as", "migrated_template", "postgres_server"]

SHORT = SessionLimits(readers=1, writers=1, request_timeout_s=0.2)


async def test_who_gets_no_connection_is_refused(dsn_as: DsnAs):
    """The only connection never comes back, and its holder has more time than those who wait."""
    async with Sessions(dsn_as, SHORT) as sessions, sessions.readers.acquire() as held:
        with pytest.raises(Unavailable, match="does not answer"):
            await PostgresKeyDirectory(sessions.readers).find("abcdefgh")

        assert await held.fetchval("select 1") == 1


async def test_who_gets_no_answer_does_not_wait_for_leave_to_go(
    postgres_server: EmbeddedPostgres, migrated_template: str
):
    """The server is silent; the caller is gone while the connection still asks to be left."""
    async with (
        fresh_database(postgres_server, template=migrated_template) as name,
        wired(postgres_server, name) as wire,
        Sessions(lambda _: wire.dsn, SHORT) as sessions,
    ):
        wire.proxy.replies.hold()
        with pytest.raises(TimeoutError):
            await sessions.readers.fetchval("select 1")

        assert _busy(sessions, "readers") == 1


async def test_the_foreground_does_not_wait_behind_background_work(dsn_as: DsnAs):
    """All connections of the background are taken and stay so."""
    limits = SessionLimits(readers=1, writers=2)
    async with Sessions(dsn_as, limits) as sessions, AsyncExitStack() as background:
        for _ in range(limits.writers):
            await background.enter_async_context(sessions.writers.acquire())

        assert await sessions.foreground.fetchval("select 1") == 1


def _busy(sessions: Sessions, name: str) -> int:
    return next(pool.busy for pool in sessions.usage() if pool.name == name)
