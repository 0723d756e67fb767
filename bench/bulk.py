"""Bulk creates: items of 4 KB, five hundred in a request, four requests at once."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from bench.asking import asked, read
from bench.load.corpus import marketing_text
from bench.results import Spent
from bench.server import Server
from bench.tenants import Tenant

BODY_BYTES = 4_096
BULK_ITEMS, BULK_CLIENTS = 500, 4


def timed(server: Server, items: int, work: Callable[[], object]) -> Spent:
    """Do a piece of work, and answer what it took the daemon."""
    before, began = server.cpu(), time.perf_counter()
    work()
    return Spent(items, time.perf_counter() - began, server.cpu() - before)


def create_in_bulk(port: int, tenant: Tenant, count: int) -> None:
    """Create so many items of 4 KB, a few hundred in each request.

    Raises:
        BenchError: The daemon refuses one.
    """
    rng = random.Random(count)
    texts = [marketing_text(rng, BODY_BYTES - 16) for _ in range(64)]

    def create(start: int) -> None:
        items = [
            {"title": f"Item {n}", "body": f"{n:016}{texts[n % 64]}", "tags": ["summer"]}
            for n in range(start, min(start + BULK_ITEMS, count))
        ]
        body = msgspec.json.encode({"items": items})
        with asked(port, tenant, "/api/content/bulk", post=body) as answer:
            read(answer, 201)

    with ThreadPoolExecutor(BULK_CLIENTS) as clients:
        list(clients.map(create, range(0, count, BULK_ITEMS)))
