"""A daemon that takes the tokens of a real local issuer, and the platform's people around it."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.domain.access import Role
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, publishing
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory, fresh_database, postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["postgres_server"]

_ADD_USER = "insert into public.users (id, tenant_id) values ($1, $2)"
_ADD_MEMBER = """
insert into public.brand_members (brand_id, user_id, tenant_id, role) values ($1, $2, $3, $4)
"""
_DEACTIVATE = """
update public.brand_members set is_active = false where user_id = $1 and brand_id = $2
"""


class House(msgspec.Struct):
    """A daemon, the issuer it trusts, and a tenant with two brands."""

    daemon: SharedDaemon
    issuer: Issuer
    tenant: Tenant
    other_brand: str

    async def user(self, **roles: str) -> str:
        """A user of the tenant; `first` and `second` say what it is in the two brands."""
        user_id = str(uuid.uuid4())
        brands = {"first": self.tenant.brand_id, "second": self.other_brand}
        link = await asyncpg.connect(self.daemon.dsn, timeout=PATIENCE_S)
        try:
            await link.execute(_ADD_USER, user_id, self.tenant.tenant_id)
            for brand, role in roles.items():
                await link.execute(_ADD_MEMBER, brands[brand], user_id, self.tenant.tenant_id, role)
        finally:
            await link.close(timeout=PATIENCE_S)
        return user_id

    async def deactivate(self, user_id: str, brand_id: str) -> None:
        """End a membership as the platform does."""
        link = await asyncpg.connect(self.daemon.dsn, timeout=PATIENCE_S)
        try:
            await link.execute(_DEACTIVATE, user_id, brand_id)
        finally:
            await link.close(timeout=PATIENCE_S)

    def token(self, user_id: str, *, key_id: str = "rsa", **claims: Any) -> str:
        """A token of a user, from the issuer."""
        said = {"sub": user_id, "tenant_id": self.tenant.tenant_id, **claims}
        return self.issuer.token(key_id, **said)

    def bearer(self, token: str) -> httpx.AsyncClient:
        """A caller with this token."""
        http = self.daemon.caller(None)
        http.headers["Authorization"] = f"Bearer {token}"
        return http

    @asynccontextmanager
    async def member(self, **roles: str) -> AsyncIterator[httpx.AsyncClient]:
        """A caller with a token of a new user."""
        async with self.bearer(self.token(await self.user(**roles))) as http:
            yield http


def taking_tokens(issuer: Issuer) -> dict[str, str]:
    """The settings under which a daemon trusts this issuer."""
    return {
        "ENGARDE_AUTH__JWKS_URL": issuer.url,
        "ENGARDE_AUTH__ISSUER": ISSUER,
        "ENGARDE_AUTH__AUDIENCE": AUDIENCE,
        "ENGARDE_AUTH__OPERATOR_ROLES": "platform-operator",
        "ENGARDE_LIMITS__ALLOW_PRIVATE_ADDRESSES": "true",
    }


@asynccontextmanager
async def running(server: EmbeddedPostgres, **settings: str) -> AsyncIterator[SharedDaemon]:
    """A daemon of one's own, on a database of its own."""
    async with AsyncExitStack() as resources:
        directory = resources.enter_context(enterable_directory())
        database = await resources.enter_async_context(fresh_database(server))
        environ = {"ENGARDE_POSTGRES__DSN": server.dsn(database=database), **settings}
        process = Daemon(directory / "data", environ=environ)
        await resources.enter_async_context(cleared_away_after(process))
        await process.start()
        yield SharedDaemon(process, environ)
        assert await process.stop() == 0, process.words()


@pytest.fixture(scope="session")
def shared_issuer() -> Iterator[Issuer]:
    """The issuer of the shared house, with a key of each kind."""
    issuer = Issuer()
    issuer.add("rsa", "RS256")
    issuer.add("ec", "ES256")
    issuer.add("ed", "EdDSA")
    with publishing(issuer):
        yield issuer


@pytest.fixture(scope="session")
async def token_daemon(
    postgres_server: EmbeddedPostgres, shared_issuer: Issuer
) -> AsyncIterator[SharedDaemon]:
    """One daemon that takes tokens, for all tests here that need no other settings."""
    async with running(postgres_server, **taking_tokens(shared_issuer)) as daemon:
        yield daemon


@pytest.fixture
async def house(token_daemon: SharedDaemon, shared_issuer: Issuer) -> AsyncIterator[House]:
    """A tenant of one's own on it, during whose test the daemon must not log an error."""
    before = token_daemon.process.log.stat().st_size
    tenant = await token_daemon.quick_tenant()
    yield House(token_daemon, shared_issuer, tenant, await token_daemon.new_brand(tenant))
    logged = token_daemon.log_bytes(before).decode().splitlines()
    assert [line for line in logged if '"level":"error"' in line] == []


@pytest.fixture
async def admin(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A key of an administrator of the whole tenant."""
    key = await house.daemon.quick_key(house.tenant, Role.ADMIN)
    async with house.daemon.caller(key.api_key) as http:
        yield http
