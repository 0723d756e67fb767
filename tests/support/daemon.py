"""The daemon that most acceptance tests share, and callers of one's own on it.

Owns what keeps tests apart that share a process: whoever writes does so in a tenant made for it,
and a test during which the daemon logged an error fails, whatever the test itself looked at.

A conftest takes the fixtures with `from tests.support.daemon import daemon, shared_daemon`.
"""

import json
import secrets
import ssl
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import asyncpg
import httpx
import msgspec
import pytest
import structlog

from engarde_daemon.adapters.postgres.administration import Administration, Holder
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.domain.access import Role
from tests.support.commands import run_command
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory, fresh_database
from tests.support.running import REQUEST_LIMIT_S, Daemon, cleared_away_after

TINY_PLAN_BYTES = 10_737
"""What the plan `tiny` of the shared daemon allows."""

_TINY_PLAN = {
    "ENGARDE_PLANS__TINY__STORAGE_GB": "0.00001",
    "ENGARDE_PLANS__TINY__RETENTION_DAYS": "30",
    "ENGARDE_PLANS__TINY__MONTHLY_ITEMS": "10",
}
_WAITING = "select count(*) from engarde.outbox where tenant_id = $1"
_ADD_BRAND = "insert into public.brands (id, tenant_id, name) values ($1, $2, 'Another')"
_DRIFT = "select * from engarde.quota_drift_v2(array(select id from public.tenants))"
_LOOK_S = 0.02
# Nothing here speaks TLS, and loading the certificates of the world takes 20 ms a client.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """What `engarde tenants create --json` answers with."""

    tenant_id: str
    brand_id: str
    user_id: str


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What `engarde keys create --json` answers with."""

    key_id: str
    api_key: str


class SharedDaemon:
    """A daemon that runs on a database of its own, and the commands operators give it."""

    def __init__(self, daemon: Daemon, environ: Mapping[str, str]) -> None:
        self.process = daemon
        self._environ = environ
        self.restarted: set[str] = set()
        """The actors that a test wished to begin anew."""

    @property
    def dsn(self) -> str:
        """Its database, as the superuser."""
        return self._environ["ENGARDE_POSTGRES__DSN"]

    def command(self, *arguments: str) -> Any:
        """What an `engarde` command prints as JSON while the daemon runs."""
        data_dir = str(self.process.data_dir)
        done = run_command(*arguments, "--data-dir", data_dir, "--json", environ=self._environ)
        structlog.reset_defaults()  # the command logs to a stream that is closed by now
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def new_tenant(self, plan: str = "free") -> Tenant:
        """Make a tenant with a brand and a user."""
        made = self.command("tenants", "create", "--name", "A test's", "--plan", plan)
        return msgspec.convert(made, Tenant)

    def new_key(self, tenant: Tenant, role: str = "editor") -> Key:
        """Make a key for a tenant."""
        made = self.command("keys", "create", "--tenant", tenant.tenant_id, "--role", role)
        return msgspec.convert(made, Key)

    async def quick_tenant(self) -> Tenant:
        """Make a tenant on the plan `free`, without the price of a command."""
        async with self._office() as office:
            made = await office.create_tenant("A test's", "free")
        return msgspec.convert(made, Tenant, from_attributes=True)

    async def quick_key(self, tenant: Tenant, role: Role = Role.EDITOR) -> Key:
        """Make a key for a tenant, without the price of a command."""
        async with self._office() as office:
            holder = msgspec.convert(tenant, Holder, from_attributes=True)
            key = await office.create_key(holder, role)
        return Key(key_id=key.id, api_key=key.text)

    async def new_brand(self, tenant: Tenant) -> str:
        """Add a brand to a tenant, as the platform does."""
        brand_id = str(uuid.uuid4())
        link = await asyncpg.connect(self.dsn, timeout=PATIENCE_S)
        await link.execute(_ADD_BRAND, brand_id, tenant.tenant_id)
        await link.close(timeout=PATIENCE_S)
        return brand_id

    def caller(self, api_key: str | None) -> httpx.AsyncClient:
        """A caller with a key, or with none."""
        return httpx.AsyncClient(
            base_url=self.process.base_url,
            headers={"X-API-Key": api_key} if api_key else {},
            timeout=REQUEST_LIMIT_S,
            trust_env=False,
            verify=_NO_TLS,
        )

    async def begin_anew(self, actor: str) -> None:
        """Have an operator restart an actor, which then does at once what it does now and then."""
        key = self.new_key(await self.quick_tenant(), "operator")
        async with self.caller(key.api_key) as http:
            answer = await http.post(f"/api/admin/actors/{actor}/restart")
        assert answer.status_code == 202, answer.text
        self.restarted.add(actor)

    @asynccontextmanager
    async def _office(self) -> AsyncIterator[Administration]:
        link = await asyncpg.connect(self.dsn, timeout=PATIENCE_S)
        try:
            yield Administration(
                link, new_id=lambda: str(uuid.uuid4()), randomness=secrets.token_bytes
            )
        finally:
            link.terminate()

    async def until_carried(self, tenant: Tenant) -> None:
        """Wait until everything this tenant wrote is delivered and indexed."""
        link = await asyncpg.connect(self.dsn, timeout=PATIENCE_S)
        try:
            with anyio.fail_after(PATIENCE_S):
                while await link.fetchval(_WAITING, tenant.tenant_id):
                    await anyio.sleep(_LOOK_S)
        finally:
            link.terminate()

    async def logged(self, since: int = 0) -> bytes:
        """What was logged from this byte of the log on.

        The line of a request is written after its answer is sent, and before the next is.
        """
        async with self.caller(None) as http:
            await http.get("/healthz")
        return self.log_bytes(since)

    def log_bytes(self, since: int = 0) -> bytes:
        """What is in the log by now."""
        with self.process.log.open("rb") as log:
            log.seek(since)
            return log.read()


@pytest.fixture(scope="session")
async def shared_daemon(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """One daemon for the whole run, on the run's PostgreSQL."""
    with enterable_directory() as directory:
        async with fresh_database(postgres_server) as database:
            dsn = postgres_server.dsn(database=database)
            environ = {"ENGARDE_POSTGRES__DSN": dsn, **_TINY_PLAN}
            async with cleared_away_after(Daemon(directory / "data", environ=environ)) as process:
                await process.start()
                yield SharedDaemon(process, environ)
                assert await process.stop() == 0, process.words()
                assert await drift_in(dsn) == []


async def drift_in(dsn: str) -> list[asyncpg.Record]:
    """Where the ledger of any tenant disagrees with what is stored, after a whole run."""
    link = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    drifts: list[asyncpg.Record] = await link.fetch(_DRIFT)
    await link.close(timeout=PATIENCE_S)
    return drifts


@pytest.fixture
def daemon(shared_daemon: SharedDaemon) -> Iterator[SharedDaemon]:
    """The shared daemon, which must not log an error while the test has it."""
    before = shared_daemon.process.log.stat().st_size
    yield shared_daemon
    logged = shared_daemon.log_bytes(before).decode().splitlines()
    assert [line for line in logged if '"level":"error"' in line] == []
