"""An operator, and a daemon of the operator's own to be steered."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import running
from tests.support.daemon import SharedDaemon


@pytest.fixture
async def operator(daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An operator of the shared daemon."""
    key = daemon.new_key(await daemon.quick_tenant(), "operator")
    async with daemon.caller(key.api_key) as http:
        yield http


@pytest.fixture(scope="module")
async def steered(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """A daemon whose actors may be paused and replaced."""
    async with running(postgres_server) as daemon:
        yield daemon
