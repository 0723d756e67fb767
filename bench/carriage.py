"""A daemon whose carriers are held until they are told to go, so that carrying can be measured."""

import time
from collections.abc import Iterable

import anyio
import asyncpg
from anyio import to_thread

from bench.bulk import create_in_bulk
from bench.load.order import LoadOrder, LoadResult, Traffic
from bench.measure import run_load
from bench.tenants import Tenant
from tests.support.running import Daemon

CLIENTS = 8
LIMIT_S = 600.0
LOOK_S = 0.05
PAGE = "/api/content?page=1&pageSize=20"
CARRIERS = {"zerodb": "delivery", "bigquery": "replicator"}
_INDEXING = "select exists (select from engarde.outbox where destination = 'search')"
_WAITING = """
    select wanted as destination from unnest($1::text[]) wanted
    where exists (select from engarde.outbox o where o.destination = wanted)"""


class Carriage:
    """A daemon that takes versions in, and carries them when it is told to."""

    def __init__(self, daemon: Daemon, link: asyncpg.Connection, versions: int) -> None:
        self.versions = versions
        self._daemon = daemon
        self._link = link

    async def load_up(self) -> None:
        """Take content in that nobody carries on, and let it be indexed before anything is timed."""
        await self._steer("pause", CARRIERS.values())
        given = self._daemon.credentials
        tenant = Tenant(
            tenant_id=given.tenant_id,
            brand_id=given.brand_id,
            user_id=given.user_id,
            api_key=given.api_key,
        )
        await to_thread.run_sync(create_in_bulk, self._daemon.port, tenant, self.versions)
        with anyio.fail_after(LIMIT_S):
            while await self._link.fetchval(_INDEXING):
                await anyio.sleep(LOOK_S)

    async def carry(self, *destinations: str) -> dict[str, float]:
        """Let the carriers of these go, and answer the versions a second of each."""
        began = time.perf_counter()
        await self._steer("resume", [CARRIERS[one] for one in destinations])
        took_s: dict[str, float] = {}
        with anyio.fail_after(LIMIT_S):
            while len(took_s) < len(destinations):
                await anyio.sleep(LOOK_S)
                waiting = {
                    row["destination"] for row in await self._link.fetch(_WAITING, destinations)
                }
                for one in destinations:
                    if one not in waiting:
                        took_s.setdefault(one, time.perf_counter() - began)
        return {one: self.versions / seconds for one, seconds in took_s.items()}

    async def readers(self, *, seconds: float, rate_per_s: float = 0.0) -> LoadResult:
        """Read pages for a while, at a rate or without pause."""
        order = LoadOrder(
            port=self._daemon.port,
            traffic=Traffic.FETCH,
            keys=[self._daemon.credentials.api_key],
            paths=[PAGE],
            connections=CLIENTS,
            seconds=seconds,
            warm_up_s=0.5,
            rate_per_s=rate_per_s,
        )
        return await to_thread.run_sync(run_load, order)

    async def _steer(self, how: str, actors: Iterable[str]) -> None:
        async with self._daemon.client(self._daemon.credentials.operator_key) as http:
            for actor in actors:
                answer = await http.post(f"/api/admin/actors/{actor}/{how}")
                answer.raise_for_status()
