"""A tenant's administrator who means harm, and the operations there are."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.domain.access import Role
from tests.acceptance.attack.surface import Operation, operations_of
from tests.support.daemon import SharedDaemon, Tenant

# They would stop or restart what other tests use, or never end by themselves.
LEFT_OUT = {
    "failOver", "failBack", "orderMigration", "orderRestore", "orderVerify", "pauseActor",
    "restartActor", "followEvents", "followGenerationJob", "uploadMedia", "importContent",
}  # fmt: skip


@pytest.fixture
async def attacker(daemon: SharedDaemon, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator."""
    async with daemon.caller((await daemon.quick_key(tenant, Role.ADMIN)).api_key) as http:
        yield http


@pytest.fixture
async def operations(daemon: SharedDaemon) -> list[Operation]:
    """All operations that may be tried."""
    async with daemon.caller(None) as http:
        return [one for one in await operations_of(http) if one.name not in LEFT_OUT]
