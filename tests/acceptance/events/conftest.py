"""A daemon that may call this machine and tries again soon, and callers of one's own on it."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.domain.access import Role
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.postgres import enterable_directory, fresh_database
from tests.support.receiver import Receiver, receiving
from tests.support.running import Daemon, cleared_away_after

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "ENGARDE_LIMITS__ALLOW_PRIVATE_ADDRESSES": "true",
        "ENGARDE_WEBHOOKS__RETRY_DELAYS": "1s,1s,1s",
        "ENGARDE_WEBHOOKS__TIMEOUT_S": "1",
        # Longer than a test waits for an end: who ends in time did not wait for the grace.
        "ENGARDE_SERVER__SHUTDOWN_GRACE_S": "300",
        "ENGARDE_EVENTS__HEARTBEAT_S": "0.5",
        "ENGARDE_EVENTS__POLL_S": "0.2",
        "ENGARDE_EVENTS__WINDOW_BYTES": "16384",
        "ENGARDE_PLANS__TINY__STORAGE_GB": "0.00001",
        "ENGARDE_PLANS__TINY__RETENTION_DAYS": "30",
        "ENGARDE_PLANS__TINY__MONTHLY_ITEMS": "10",
    }
)


@asynccontextmanager
async def telling_daemon(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """A daemon with these settings, on a database of its own."""
    with enterable_directory() as directory:
        async with fresh_database(postgres_server) as database:
            dsn = postgres_server.dsn(database=database)
            environ = {"ENGARDE_POSTGRES__DSN": dsn, **SETTINGS}
            async with cleared_away_after(Daemon(directory / "data", environ=environ)) as process:
                await process.start()
                yield SharedDaemon(process, environ)


@pytest.fixture(scope="package")
async def events_daemon(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """One daemon for the whole package."""
    async with telling_daemon(postgres_server) as shared:
        yield shared
        assert await shared.process.stop() == 0, shared.process.words()


@pytest.fixture
def daemon(events_daemon: SharedDaemon) -> Iterator[SharedDaemon]:
    """The package's daemon, which must not log an error while the test has it."""
    before = events_daemon.process.log.stat().st_size
    yield events_daemon
    logged = events_daemon.log_bytes(before).decode().splitlines()
    assert [line for line in logged if '"level":"error"' in line] == []


@pytest.fixture
async def mortal(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """A daemon of one's own, to be killed."""
    async with telling_daemon(postgres_server) as shared:
        yield shared


@pytest.fixture
async def admin(daemon: SharedDaemon, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the test's tenant."""
    async with daemon.caller((await daemon.quick_key(tenant, Role.ADMIN)).api_key) as http:
        yield http


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A server to be called."""
    async with receiving() as receiver:
        yield receiver
