"""Clients who note when they asked for what and what they heard, for the checker to judge.

Owns the reading of answers: a status that says that nothing happened is no operation, and one that
says that nobody knows is an operation without an answer.
"""

import random
import time
from collections import Counter

import anyio
import httpx

from engarde_daemon.domain.content import sha256_of
from engarde_daemon.testing.linearizability import History
from engarde_daemon.testing.linearizability.models import (
    CONFLICT,
    DONE,
    MISSING,
    Create,
    Delete,
    Patch,
    Read,
    Seen,
)
from tests.support.running import Daemon
from tests.support.witness import Witness

THINK_S = 0.02
_REFUSED = {404: MISSING, 412: CONFLICT}


class Onlookers:
    """All clients of one test, and what they saw."""

    def __init__(self, tenant_id: str, seed: str) -> None:
        self.history = History(time.monotonic)
        self.witness = Witness(tenant_id)
        self.statuses: Counter[str] = Counter()
        self.stopped = False
        self._seed = seed
        self._ids: list[str] = []
        self._mortal: set[str] = set()

    async def make_items(self, http: httpx.AsyncClient, *, lasting: int, mortal: int) -> None:
        """Make the items that everybody will write to; only mortal ones will be deleted."""
        for number in range(lasting + mortal):
            title, body = f"{self._seed} item {number}", f"first {number}"
            made = await http.post("/api/content", json={"title": title, "body": body})
            assert made.status_code == 201, made.text
            content_id = made.json()["id"]
            self._ids.append(content_id)
            if number < lasting:
                self.witness.shared_created(content_id, title, body)
            else:
                self._mortal.add(content_id)
                self.witness.titles[content_id] = title
            operation = self.history.called(content_id, Create(body))
            self.history.answered(operation, Seen(1, body))

    async def work(self, daemon: Daemon, name: str) -> None:
        """Read and write through one daemon until told to stop."""
        chance = random.Random(f"{self._seed}/{name}")
        serial = 0
        async with daemon.client(connections=1) as http:
            while not self.stopped:
                await daemon.serving.wait()
                serial += 1
                content_id = chance.choice(self._ids)
                await self._do(http, chance, content_id, f"{name} {serial}")
                await anyio.sleep(chance.uniform(0, THINK_S))

    async def read_all(self, http: httpx.AsyncClient) -> None:
        """Read every item once."""
        for content_id in self._ids:
            await self.send(http, content_id, Read(), client="last")

    async def _do(
        self, http: httpx.AsyncClient, chance: random.Random, content_id: str, said: str
    ) -> None:
        client = said.split(maxsplit=1)[0]
        kind = chance.choices(("read", "patch", "guarded", "delete"), (50, 25, 23, 2))[0]
        if kind == "read" or (kind == "delete" and content_id not in self._mortal):
            await self.send(http, content_id, Read(), client=client)
        elif kind == "patch":
            await self.send(http, content_id, Patch(said), client=client)
        elif kind == "delete":
            await self.send(http, content_id, Delete(), client=client)
        else:
            seen = await self.send(http, content_id, Read(), client=client)
            if isinstance(seen, Seen):
                await self.send(http, content_id, Patch(said, seen.version), client=client)

    async def send(
        self, http: httpx.AsyncClient, content_id: str, call: Read | Patch | Delete, *, client: str
    ) -> object:
        """Make one call, note it, and give its answer if there was one."""
        operation = self.history.called(content_id, call, client=client)
        try:
            answer = await http.send(_request(http, content_id, call))
        except httpx.TransportError as error:
            self.statuses[type(error).__name__] += 1
            self._unheard(operation, content_id, call, sent=type(error) is not httpx.ConnectError)
            return None
        self.statuses[str(answer.status_code)] += 1
        if answer.status_code == 503:
            assert answer.headers["Retry-After"]
            self._unheard(operation, content_id, call, sent=True)
            return None
        heard = self._heard(content_id, call, answer)
        self.history.answered(operation, heard)
        return heard

    def _heard(
        self, content_id: str, call: Read | Patch | Delete, answer: httpx.Response
    ) -> object:
        if answer.status_code in _REFUSED:
            return _REFUSED[answer.status_code]
        assert answer.status_code == 200, answer.text
        if isinstance(call, Delete):
            return DONE
        told = answer.json()
        if isinstance(call, Read):
            return Seen(told["version"], told["body"])
        story = self.witness.shared.get(content_id)
        if story is not None:
            story.answered(told["version"], sha256_of(call.body))
        return told["version"]

    def _unheard(
        self, operation: int, content_id: str, call: Read | Patch | Delete, *, sent: bool
    ) -> None:
        """Leave a write open that may have happened; forget everything else."""
        if isinstance(call, Read) or not sent:
            self.history.refused(operation)
            return
        story = self.witness.shared.get(content_id)
        if story is not None and isinstance(call, Patch):
            story.unanswered.add(sha256_of(call.body))


def _request(
    http: httpx.AsyncClient, content_id: str, call: Read | Patch | Delete
) -> httpx.Request:
    path = f"/api/content/{content_id}"
    if isinstance(call, Read):
        return http.build_request("GET", path)
    headers = {} if call.if_version is None else {"If-Match": f'"{call.if_version}"'}
    if isinstance(call, Delete):
        return http.build_request("DELETE", path, headers=headers)
    return http.build_request("PATCH", path, headers=headers, json={"body": call.body})
