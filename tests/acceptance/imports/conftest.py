"""A daemon that may fetch from this machine, and the platforms and files that it fetches from."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NamedTuple

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.domain.access import Role
from engarde_daemon.testing.models.serving import serving
from engarde_daemon.testing.platforms import FakeGoogleAds, FakeMeta
from engarde_daemon.testing.platforms.google_ads import CLIENT, REFRESH_TOKEN
from engarde_daemon.testing.platforms.meta import APP_SECRET, TOKEN
from tests.support.daemon import SharedDaemon, drift_in
from tests.support.importing import FileServer, files
from tests.support.postgres import enterable_directory, fresh_database
from tests.support.running import Daemon, cleared_away_after


class Fair(NamedTuple):
    """A daemon that imports, where its pictures are, and the platforms that it reaches."""

    daemon: SharedDaemon
    pictures: FileServer
    url: str
    meta: FakeMeta
    google: FakeGoogleAds


@pytest.fixture(scope="package")
async def fair(postgres_server: EmbeddedPostgres) -> AsyncIterator[Fair]:
    """One for all tests here; in the end its books are right."""
    meta, google = FakeMeta(), FakeGoogleAds()
    with enterable_directory() as directory:
        async with AsyncExitStack() as stack:
            pictures, url = await stack.enter_async_context(files())
            meta_url = await stack.enter_async_context(serving(meta))
            google_url = await stack.enter_async_context(serving(google))
            name = await stack.enter_async_context(fresh_database(postgres_server))
            dsn = postgres_server.dsn(database=name)
            environ = {
                "ENGARDE_POSTGRES__DSN": dsn,
                "ENGARDE_LIMITS__ALLOW_PRIVATE_ADDRESSES": "true",
                "ENGARDE_IMPORTS__POLL_S": "0.1",
                "ENGARDE_ADS__META__BASE_URL": meta_url,
                "ENGARDE_ADS__GOOGLE_ADS__BASE_URL": google_url,
                "ENGARDE_ADS__GOOGLE_ADS__TOKEN_URL": f"{google_url}/token",
            }
            async with cleared_away_after(Daemon(directory / "data", environ=environ)) as process:
                await process.start()
                yield Fair(SharedDaemon(process, environ), pictures, url, meta, google)
                assert await process.stop() == 0, process.words()
                assert await drift_in(dsn) == []


@pytest.fixture
async def importer(fair: Fair) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of a tenant of one's own there, with a credential for each platform."""
    fair.pictures.asked.clear()
    fair.pictures.refuse = {}
    fair.meta.forget()
    fair.google.forget()
    tenant = await fair.daemon.quick_tenant()
    async with fair.daemon.caller(
        (await fair.daemon.quick_key(tenant, Role.ADMIN)).api_key
    ) as http:
        await give_keys(http)
        yield http


async def give_keys(http: httpx.AsyncClient) -> None:
    """Let the tenant have credentials for both platforms."""
    secrets = {
        "meta": {"access_token": TOKEN, "account_id": "act_42", "app_secret": APP_SECRET},
        "google_ads": {**CLIENT, "refresh_token": REFRESH_TOKEN, "customer_id": "123-456-7890"},
    }
    for platform, secret in secrets.items():
        put = await http.put(f"/api/credentials/{platform}", json=secret)
        assert put.status_code == 200, put.text
