"""A daemon that may fetch from this machine, and a server that it fetches from."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.daemon import SharedDaemon, Tenant, drift_in
from tests.support.importing import FileServer, files
from tests.support.postgres import enterable_directory, fresh_database
from tests.support.running import Daemon, cleared_away_after


class Fair(NamedTuple):
    """A daemon that imports, and where the pictures are that it fetches."""

    daemon: SharedDaemon
    pictures: FileServer
    url: str


@pytest.fixture(scope="module")
async def fair(postgres_server: EmbeddedPostgres) -> AsyncIterator[Fair]:
    """One for all tests of a module; in the end its books are right."""
    with enterable_directory() as directory:
        async with files() as (pictures, url), fresh_database(postgres_server) as name:
            dsn = postgres_server.dsn(database=name)
            environ = {
                "ENGARDE_POSTGRES__DSN": dsn,
                "ENGARDE_LIMITS__ALLOW_PRIVATE_ADDRESSES": "true",
                "ENGARDE_IMPORTS__POLL_S": "0.1",
            }
            async with cleared_away_after(Daemon(directory / "data", environ=environ)) as process:
                await process.start()
                yield Fair(SharedDaemon(process, environ), pictures, url)
                assert await process.stop() == 0, process.words()
                assert await drift_in(dsn) == []


@pytest.fixture
async def importer(fair: Fair) -> AsyncIterator[httpx.AsyncClient]:
    """An editor of a tenant of one's own there."""
    key = await fair.daemon.quick_key(await fair.daemon.quick_tenant())
    fair.pictures.asked.clear()
    async with fair.daemon.caller(key.api_key) as http:
        yield http


@pytest.fixture
async def tenant_there(fair: Fair) -> Tenant:
    """A tenant of one's own on that daemon."""
    return await fair.daemon.quick_tenant()
