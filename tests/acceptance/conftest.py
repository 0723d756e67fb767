"""Callers of the shared daemon, each in a tenant made for the test."""

from collections.abc import AsyncIterator, Generator

import httpx
import pytest

from tests.support.daemon import SharedDaemon, Tenant, daemon, shared_daemon
from tests.support.postgres import postgres_server

__all__ = ["daemon", "postgres_server", "shared_daemon"]


@pytest.fixture
async def tenant(daemon: SharedDaemon) -> Tenant:
    """A tenant of one's own, on the plan `free`."""
    return await daemon.quick_tenant()


@pytest.fixture
async def http(daemon: SharedDaemon, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """An editor of that tenant."""
    async with daemon.caller((await daemon.quick_key(tenant)).api_key) as http:
        yield http


@pytest.fixture
async def stranger(daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An editor of another tenant."""
    key = await daemon.quick_key(await daemon.quick_tenant())
    async with daemon.caller(key.api_key) as http:
        yield http


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the daemon's log with a failure."""
    report = yield
    shared = getattr(item, "funcargs", {}).get("shared_daemon")
    if report.failed and shared is not None and shared.process.log.exists():
        report.sections.append(("log of the daemon", shared.process.words()))
    return report


@pytest.fixture
def dsn(daemon: SharedDaemon) -> str:
    """The database of the shared daemon, as its superuser."""
    return daemon.dsn
