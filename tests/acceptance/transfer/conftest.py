"""Administrators of two tenants."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.daemon import SharedDaemon, Tenant


@pytest.fixture
async def admin(daemon: SharedDaemon, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the test's tenant."""
    async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as http:
        yield http


@pytest.fixture
def elsewhere(daemon: SharedDaemon) -> Tenant:
    """Another tenant, to which content moves."""
    return daemon.new_tenant()


@pytest.fixture
async def other_admin(daemon: SharedDaemon, elsewhere: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the other tenant."""
    async with daemon.caller(daemon.new_key(elsewhere, "admin").api_key) as http:
        yield http
