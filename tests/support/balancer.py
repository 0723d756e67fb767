"""Whoever stands before several daemons and gives each request to one that is ready.

Owns what it forgives: a 503, and a connection that could not be made, are tried at another daemon.
Everything else that goes wrong is remembered as a failed request, for a test to look at.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import anyio
import httpx

from tests.support.running import Daemon

LOOK_EVERY_S = 0.2
PAUSE_S = 0.05
ATTEMPTS = 100


class Balancer:
    """Looks at `/readyz` of each daemon all the time, as load balancers do."""

    def __init__(self, daemons: Sequence[Daemon], api_key: str) -> None:
        self._daemons = daemons
        self._key = api_key
        self._ready: set[int] = set(range(len(daemons)))
        self._turn = 0
        self.failures: list[str] = []
        self.answers: Counter[tuple[int, int]] = Counter()

    async def watch(self) -> None:
        """Look for ever."""
        async with anyio.create_task_group() as tasks:
            for number in range(len(self._daemons)):
                tasks.start_soon(self._watch, number)

    async def create(self, http: Sequence[httpx.AsyncClient], body: dict[str, Any]) -> str | None:
        """Create a content, and give its id once it was acknowledged."""
        headers = {"Idempotency-Key": body["title"].replace(" ", "-")}
        for _ in range(ATTEMPTS):
            number = self._pick()
            try:
                answer = await http[number].post("/api/content", json=body, headers=headers)
            except httpx.ConnectError:
                await anyio.sleep(PAUSE_S)
                continue
            except httpx.TransportError as error:
                self.failures.append(f"daemon {number}: {type(error).__name__}")
                return None
            self.answers[number, answer.status_code] += 1
            if answer.status_code != 503:
                return self._judge(number, answer)
            await anyio.sleep(PAUSE_S)
        self.failures.append("nobody was ready")
        return None

    def clients(self) -> list[httpx.AsyncClient]:
        """A caller of each daemon."""
        return [daemon.client(self._key) for daemon in self._daemons]

    def _judge(self, number: int, answer: httpx.Response) -> str | None:
        if answer.status_code == 201:
            return str(answer.json()["id"])
        self.failures.append(f"daemon {number}: {answer.status_code} {answer.text[:200]}")
        return None

    def _pick(self) -> int:
        self._turn += 1
        ready = sorted(self._ready) or range(len(self._daemons))
        return list(ready)[self._turn % len(ready)]

    async def _watch(self, number: int) -> None:
        async with self._daemons[number].client(self._key) as http:
            while True:
                try:
                    is_ready = (await http.get("/readyz")).status_code == 200
                except httpx.TransportError:
                    is_ready = False
                (self._ready.add if is_ready else self._ready.discard)(number)
                await anyio.sleep(LOOK_EVERY_S)
