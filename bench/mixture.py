"""A working day's mix of requests: each kind as often as the next person would ask for it.

Requests are due at fixed times. One for which no client is free waits, and its wait counts.
"""

import itertools
import json
import random
import time
from collections import deque
from urllib.parse import quote

import anyio
import httpx
from anyio.streams.memory import MemoryObjectReceiveStream

from bench.load.corpus import marketing_text
from bench.tenants import Tenant

MIX = {"get": 8, "list": 4, "search": 2, "create": 4, "patch": 3, "delete": 1}
"""Of 22 requests so many are of each kind; more is created than deleted."""
CLIENTS = 16
WAITING_MOST = 100_000
BODY_BYTES = 4096
FIRST_ITEMS = 256
REQUEST_LIMIT_S = 30.0
WORDS = ("summer", "launch", "espresso", "ceramics", "headphones", "skincare", "weekend")
_TEXTS = 64


def caller(port: int, tenant: Tenant) -> httpx.AsyncClient:
    """A client of the daemon on that port."""
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"X-API-Key": tenant.api_key},
        timeout=REQUEST_LIMIT_S,
        limits=httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS),
        trust_env=False,
    )


class Client:
    """Everybody who uses the daemon: what they ask in turn, and what they noted meanwhile."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._chance = random.Random(CLIENTS)
        self._texts = [marketing_text(self._chance, BODY_BYTES - 16) for _ in range(_TEXTS)]
        self._serials = itertools.count()
        self._ids: deque[str] = deque()
        self._waits_ms: list[float] = []
        self._failures = 0
        self._asks = {
            "get": self.get,
            "list": self.list_page,
            "search": self.search,
            "create": self.create,
            "patch": self.patch,
            "delete": self.delete,
        }

    async def go_on(self, *, rate_per_s: float) -> None:
        """Ask for ever; a request for which no client is free waits, and its wait counts."""
        send, receive = anyio.create_memory_object_stream[tuple[str, float]](
            max_buffer_size=WAITING_MOST
        )
        async with anyio.create_task_group() as clients:
            for _ in range(CLIENTS):
                clients.start_soon(self._work, receive)
            due = time.perf_counter()
            for kind in itertools.cycle(_kinds(self._chance)):
                await anyio.sleep(max(0.0, due - time.perf_counter()))
                send.send_nowait((kind, due))
                due += 1 / rate_per_s

    async def _work(self, due: MemoryObjectReceiveStream[tuple[str, float]]) -> None:
        async for kind, since in due:
            try:
                await self._asks[kind]()
            except httpx.HTTPError:
                self._failures += 1
            self._waits_ms.append((time.perf_counter() - since) * 1000)

    async def create(self) -> None:
        """Write a new item."""
        answer = await self._told("POST", "/api/content", self._written())
        self._ids.append(json.loads(answer.content)["id"])

    async def patch(self) -> None:
        """Change an item."""
        await self._told("PATCH", f"/api/content/{self._any()}", self._written())

    async def delete(self) -> None:
        """Put the oldest item into the trash."""
        await self._told("DELETE", f"/api/content/{self._ids.popleft()}")

    async def get(self) -> None:
        """Read an item."""
        await self._told("GET", f"/api/content/{self._any()}")

    async def list_page(self) -> None:
        """Read the newest page."""
        await self._told("GET", "/api/content?pageSize=20")

    async def search(self) -> None:
        """Look for two words."""
        words = " ".join(self._chance.sample(WORDS, 2))
        await self._told("GET", f"/api/content?search={quote(words)}")

    def take_notes(self) -> tuple[list[float], int]:
        """The waits since the last time, in order of length, and all failures so far."""
        waits_ms, self._waits_ms = sorted(self._waits_ms), []
        return waits_ms, self._failures

    async def _told(
        self, method: str, path: str, content: dict[str, object] | None = None
    ) -> httpx.Response:
        answer = await self._http.request(method, path, json=content)
        return answer.raise_for_status()

    def _any(self) -> str:
        """An item that nobody is about to delete."""
        return self._ids[self._chance.randrange(FIRST_ITEMS // 4, len(self._ids))]

    def _written(self) -> dict[str, object]:
        number = next(self._serials)
        body = f"{number:016}{self._texts[number % _TEXTS]}"
        return {"title": f"Item {number}", "body": body, "tags": ["summer"]}


def _kinds(chance: random.Random) -> list[str]:
    """The mix, in an order in which no kind comes in bursts."""
    kinds = [kind for kind, times in MIX.items() for _ in range(times)]
    chance.shuffle(kinds)
    return kinds
