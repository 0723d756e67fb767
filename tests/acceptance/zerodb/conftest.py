"""Servers that a daemon keeps its bodies in: a fake of the hosted one, and the real local one."""

from collections.abc import AsyncIterator, Mapping

import pytest

from engarde_daemon.testing.zerodb_cloud import ZeroDBCloud
from tests.support.zerodb_local import LocalServer, zerodb_local

__all__ = ["zerodb_local"]


@pytest.fixture
async def cloud(anyio_backend: str) -> AsyncIterator[ZeroDBCloud]:
    """A hosted service of one's own."""
    async with ZeroDBCloud(api_key="sk_acceptance") as cloud:
        yield cloud


@pytest.fixture
def cloud_settings(cloud: ZeroDBCloud) -> dict[str, str]:
    """What an operator sets for it."""
    return {
        "ENGARDE_ZERODB__MODE": "cloud",
        "ENGARDE_ZERODB__BASE_URL": cloud.base_url,
        "ENGARDE_ZERODB__PROJECT_ID": cloud.project_id,
        "ENGARDE_ZERODB__API_KEY": cloud.api_key,
    }


@pytest.fixture
def local_settings(zerodb_local: LocalServer) -> dict[str, str]:
    """What an operator sets for the local server: no project, the daemon makes its own."""
    return {
        "ENGARDE_ZERODB__MODE": "local",
        "ENGARDE_ZERODB__BASE_URL": zerodb_local.base_url,
    }


@pytest.fixture(params=["cloud", "local"])
def settings(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Either of them."""
    chosen: Mapping[str, str] = request.getfixturevalue(f"{request.param}_settings")
    return chosen
