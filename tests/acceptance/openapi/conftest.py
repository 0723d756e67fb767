"""A daemon of one's own that takes tokens, and its operator."""

from collections.abc import AsyncIterator, Iterator

import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import House, running, taking_tokens
from tests.support.issuer import Issuer, publishing
from tests.support.postgres import postgres_server

__all__ = ["postgres_server"]

GENERATION = {
    "ENGARDE_GENERATION__PROVIDERS__OPENAI__BASE_URL": "http://127.0.0.1:9/v1",
    "ENGARDE_GENERATION__PROVIDERS__ANTHROPIC__BASE_URL": "http://127.0.0.1:9",
    "ENGARDE_PLANS__ENTERPRISE__MONTHLY_ITEMS": "500",
}
"""Whatever key a test makes up is shown to nobody, and a job of 10,000 items is refused."""


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """Whose tokens the daemon takes."""
    issuer = Issuer()
    issuer.add("rsa")
    with publishing(issuer):
        yield issuer


@pytest.fixture
async def house(postgres_server: EmbeddedPostgres, issuer: Issuer) -> AsyncIterator[House]:
    """A tenant with two brands on a daemon that nobody else uses."""
    async with running(postgres_server, **taking_tokens(issuer), **GENERATION) as daemon:
        tenant = daemon.new_tenant("enterprise")
        yield House(daemon, issuer, tenant, await daemon.new_brand(tenant))
