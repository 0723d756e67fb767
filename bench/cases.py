"""What is measured: the cases of the content API, and the load that each one means."""

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from bench.load.order import LoadOrder, Traffic
from bench.tenants import Tenant

HOT_WRITER, READER, BIG_BRAND, SMALL_BRAND, FIRST_OF_MANY = range(5)
TENANTS = FIRST_OF_MANY + 64
PAGE_SIZE = 20

CASES = {
    "create": "create, one tenant",
    "create-spread": "create, 64 tenants",
    "get": "get one item",
    "list": "list page of 20",
    "list-bodies": "list page of 20 with bodies",
    "patch": "change title, body, status and tags",
}
PAGE = f"/api/content?page=1&pageSize={PAGE_SIZE}"
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
    """Each named case at each number of connections; reads come before items grow a history.

    The creates on one tenant that are compared with those on many stand right before them.
    """
    ordered = {
        "create": sorted(connections, key=_SPREAD_CONNECTIONS.__eq__),
        "create-spread": [_SPREAD_CONNECTIONS],
    }
    for name in CASES:
        if name in names:
            for count in ordered.get(name, connections):
                yield Case(name=name, connections=count)


def seed_reader(target: Target) -> LoadOrder:
    """The load that fills the reader's brand, and tells the ids."""
    return LoadOrder(
        port=target.port,
        traffic=Traffic.CREATE,
        keys=[target.tenants[READER].api_key],
        connections=16,
        requests_each=32,
        collects_ids=True,
    )


def seed_pages(target: Target) -> LoadOrder:
    """The load that gives each of the 64 brands that are listed one page of items."""
    keys = [tenant.api_key for tenant in target.tenants[FIRST_OF_MANY:]]
    return LoadOrder(
        port=target.port,
        traffic=Traffic.CREATE,
        keys=keys,
        connections=len(keys),
        requests_each=PAGE_SIZE,
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
    reader, many = [keys[READER]], keys[FIRST_OF_MANY:]
    match case.name:
        case "create":
            return order(traffic=Traffic.CREATE, keys=[keys[HOT_WRITER]])
        case "create-spread":
            return order(traffic=Traffic.CREATE, keys=many)
        case "get":
            paths = [f"/api/content/{item}" for item in target.ids]
            return order(traffic=Traffic.FETCH, keys=reader, paths=paths)
        # Each client lists a brand of its own: a server that answers one question asked by many
        # at once with one query must not gain by it.
        case "list":
            return order(traffic=Traffic.FETCH, keys=many, paths=[PAGE])
        case "list-bodies":
            return order(traffic=Traffic.FETCH, keys=many, paths=[f"{PAGE}&include=body"])
        case _:
            return order(traffic=Traffic.PATCH, keys=reader, ids=target.ids)
