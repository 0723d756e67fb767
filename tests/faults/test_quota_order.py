"""A plan's room is one counter to all who run for it: every answer fits into one order.

Sums that are right in the end would not show a client who was refused while there was room, or one
who was shown a sum that there never was.
"""

import random
import time
from functools import partial

import anyio
import httpx

from engarde_daemon.testing.linearizability import History, check
from engarde_daemon.testing.linearizability.models import (
    DONE,
    FULL,
    BoundedCounter,
    Give,
    Look,
    Take,
)
from tests.faults.test_quota_race import LIMIT, SIZE, create, daemon, quota
from tests.support.oracle import Oracle
from tests.support.running import Daemon

__all__ = ["daemon"]

CLIENTS = 6
STEPS = 15


async def test_admissions_refusals_and_sums_fit_into_one_order(daemon: Daemon, told_seed: str):
    """Whoever creates, deletes or looks, under a limit that is full most of the time."""
    history = History(time.monotonic)
    async with daemon.client(connections=CLIENTS) as http:
        async with anyio.create_task_group() as clients:
            for number in range(CLIENTS):
                chance = random.Random(f"{told_seed}/{number}")
                clients.start_soon(partial(run, history, http, chance, client=f"c{number}"))

    check(history, BoundedCounter(LIMIT))
    await Oracle(daemon).books_are_right()


async def run(
    history: History, http: httpx.AsyncClient, chance: random.Random, *, client: str
) -> None:
    """Take, give back and look for a while."""
    own: list[tuple[str, int]] = []
    for _ in range(STEPS):
        kind = chance.choice(("look", "take", "take", "give"))
        if kind == "look":
            operation = history.called("room", Look(), client=client)
            told = await quota(http)
            history.answered(operation, told["usage"]["total_storage_bytes"])
        elif kind == "give" and own:
            content_id, size = own.pop(chance.randrange(len(own)))
            operation = history.called("room", Give(size), client=client)
            assert (await http.delete(f"/api/content/{content_id}")).status_code == 200
            history.answered(operation, DONE)
        else:
            size = chance.randint(1, 20 * SIZE)
            operation = history.called("room", Take(size), client=client)
            answer = await create(http, "x" * size)
            assert answer.status_code in (201, 403), answer.text
            history.answered(operation, DONE if answer.status_code == 201 else FULL)
            if answer.status_code == 201:
                own.append((answer.json()["id"], size))
