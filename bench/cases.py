"""What is measured: the cases of the content API, and the load that each one means."""

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from bench.load.order import LoadOrder, Traffic
from bench.tenants import Tenant

HOT_WRITER, READER, BIG_BRAND, SMALL_BRAND, FIRST_SPREAD_WRITER = range(5)
TENANTS = FIRST_SPREAD_WRITER + 64
SEEDED_ITEMS = 1024

CASES = {
    "create": "create, one tenant",
    "create-spread": "create, 64 tenants",
    "get": "get one item",
    "list": "list page of 20",
    "list-bodies": "list page of 20 with bodies",
    "patch": "change title, body, status and tags",
}
PAGE = "/api/content?page=1&pageSize=20"
_SPREAD_CONNECTIONS = 64
_NAIVE_CONNECTIONS_MAX = 64
_SERIALS_PER_LOAD = 10**9


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A running system as a load sees it."""

    port: int
    tenants: list[Tenant]
    ids: list[str] = []


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the matrix."""

    name: str
    connections: int

    def suits(self, system: str) -> bool:
        """Whether the system is worth the time: beyond 64 the naive one only queues longer."""
        return system != "naive" or self.connections <= _NAIVE_CONNECTIONS_MAX


def matrix(names: Sequence[str], connections: Sequence[int]) -> Iterator[Case]:
    """Each named case at each number of connections; reads come before items grow a history."""
    for name in CASES:
        if name in names:
            counts = [_SPREAD_CONNECTIONS] if name == "create-spread" else connections
            yield from (Case(name=name, connections=count) for count in counts)


def seeding(target: Target) -> LoadOrder:
    """The load that fills the reader's brand, and tells the ids."""
    return LoadOrder(
        port=target.port,
        traffic=Traffic.CREATE,
        keys=[target.tenants[READER].api_key],
        connections=16,
        requests_max=SEEDED_ITEMS,
        collects_ids=True,
    )


def order_for(
    case: Case, target: Target, *, seconds: float, warm_up_s: float, load: int
) -> LoadOrder:
    """The load that a case means for one system; `load` numbers the loads of a run, from 1."""
    order = partial(
        LoadOrder,
        port=target.port,
        connections=case.connections,
        seconds=seconds,
        warm_up_s=warm_up_s,
        first_serial=load * _SERIALS_PER_LOAD,
    )
    keys = [tenant.api_key for tenant in target.tenants]
    reader = [keys[READER]]
    match case.name:
        case "create":
            return order(traffic=Traffic.CREATE, keys=[keys[HOT_WRITER]])
        case "create-spread":
            return order(traffic=Traffic.CREATE, keys=keys[FIRST_SPREAD_WRITER:])
        case "get":
            paths = [f"/api/content/{item}" for item in target.ids]
            return order(traffic=Traffic.FETCH, keys=reader, paths=paths)
        case "list":
            return order(traffic=Traffic.FETCH, keys=reader, paths=[PAGE])
        case "list-bodies":
            return order(traffic=Traffic.FETCH, keys=reader, paths=[f"{PAGE}&include=body"])
        case _:
            return order(traffic=Traffic.PATCH, keys=reader, ids=target.ids)
