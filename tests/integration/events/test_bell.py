"""A daemon hears another one ring, and looks for itself when it may have missed it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.attach import DsnAs
from engarde_daemon.adapters.postgres.bell import PostgresBell
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from tests.support.oracle import eventually
from tests.support.patience import PATIENCE_S

_LISTENERS = (
    "select pid from pg_stat_activity where query ilike 'listen %' and datname = current_database()"
)


@asynccontextmanager
async def hanging(sessions: Sessions) -> AsyncIterator[PostgresBell]:
    """A bell whose first sound, that of being hung up, is over."""
    bell = PostgresBell(sessions.connect_apart, retry_s=0.05)
    await heard(bell)
    try:
        yield bell
    finally:
        bell.close()


async def heard(bell: PostgresBell) -> None:
    """Wait for a ring."""
    with anyio.fail_after(PATIENCE_S):
        await bell.heard()


@pytest.fixture
async def bells(sessions: Sessions, dsn_as: DsnAs) -> AsyncIterator[list[PostgresBell]]:
    """The bells of two daemons."""
    async with (
        Sessions(dsn_as, SessionLimits(readers=1, writers=1)) as rival,
        hanging(sessions) as one,
        hanging(rival) as other,
    ):
        yield [one, other]


async def test_another_daemon_is_heard(bells: list[PostgresBell]):
    """In both directions."""
    one, other = bells

    await one.ring()
    await heard(other)
    await other.ring()
    await heard(one)


async def test_nobody_hears_themselves(bells: list[PostgresBell]):
    """What they wrote, they know."""
    one, other = bells

    await one.ring()
    await heard(other)
    with anyio.move_on_after(0.2) as quiet:
        await one.heard()

    assert quiet.cancelled_caught


async def test_a_lost_connection_is_opened_again(
    bells: list[PostgresBell], superuser: asyncpg.Connection
):
    """That counts as a ring, for something may have happened meanwhile."""
    one, other = bells
    lost = {row["pid"] for row in await superuser.fetch(_LISTENERS)}
    for pid in lost:
        await superuser.execute("select pg_terminate_backend($1)", pid)

    await heard(one)
    await heard(other)
    async with anyio.create_task_group() as tasks:
        for bell in bells:
            tasks.start_soon(listen, bell)

        async def both_listen() -> bool:
            rows = await superuser.fetch(_LISTENERS)
            return len({row["pid"] for row in rows} - lost) == 2

        await eventually(both_listen)
        tasks.cancel_scope.cancel()
    await one.ring()
    await heard(other)


async def listen(bell: PostgresBell) -> None:
    """Wait for one ring after the other."""
    while True:
        await bell.heard()


async def test_ringing_while_the_connection_is_gone_does_nothing(sessions: Sessions):
    """The hint is lost, and nobody depends on it."""
    bell = PostgresBell(sessions.connect_apart, retry_s=0.05)

    await bell.ring()
    await heard(bell)
    bell.close()
    await bell.ring()
