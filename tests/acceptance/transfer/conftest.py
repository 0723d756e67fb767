"""Administrators of two tenants."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.domain.access import Role
from tests.support.daemon import SharedDaemon, Tenant


@pytest.fixture
async def admin(daemon: SharedDaemon, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the test's tenant."""
    async with daemon.caller((await daemon.quick_key(tenant, Role.ADMIN)).api_key) as http:
        yield http


@pytest.fixture
async def elsewhere(daemon: SharedDaemon) -> Tenant:
    """Another tenant, to which content moves."""
    return await daemon.quick_tenant()


@pytest.fixture
async def other_admin(daemon: SharedDaemon, elsewhere: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator of the other tenant."""
    async with daemon.caller((await daemon.quick_key(elsewhere, Role.ADMIN)).api_key) as http:
        yield http
