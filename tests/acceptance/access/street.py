"""Two tenants side by side, with one of everything each, and somebody who asks for it.

Owns that whatever was asked, in the end everything behind the walls is as it was.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from tests.acceptance.access.belongings import (
    EVERYTHING,
    Belongings,
    condition_of,
    ended,
    furnish,
    nothing,
)
from tests.acceptance.access.conftest import House
from tests.acceptance.access.matrix import Ask, filled, kinds_in
from tests.acceptance.media.uploads import examined
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.issuer import Issuer

OF_THE_REQUEST = {"x-request-id", "date"}
_LASTING = {"brand", "tenant", "user"}
"""What no request here changes."""


class Street(msgspec.Struct, frozen=True, kw_only=True):
    """A caller, and what lies behind walls: next door, and in the next room."""

    house: House
    routes: Mapping[str, tuple[str, str]]
    admin: httpx.AsyncClient
    lodger: httpx.AsyncClient
    next_door: Belongings
    next_room: Belongings
    mine: Belongings  # to be read; what may be changed is made for each test
    unasked: tuple[Belongings, Belongings]  # more of both, whose ids nobody but their owners sends

    def quiet_walls(self) -> list[tuple[httpx.AsyncClient, Belongings]]:
        """The same for what is found, not asked for: even the audit log must not hold it."""
        return list(zip((self.admin, self.lodger), self.unasked, strict=True))

    def walls(self) -> list[tuple[httpx.AsyncClient, Belongings]]:
        """Who must not see what."""
        return [(self.admin, self.next_door), (self.lodger, self.next_room)]

    @asynccontextmanager
    async def furnished(self, name: str, ask: Ask) -> AsyncIterator[dict[str, str]]:
        """Things of the caller's own, new ones where its request will change them.

        They are in the brand that the lodger may enter too.
        """
        method, path = self.routes[name]
        kinds = (kinds_in(path) | {ask.kind}) - _LASTING
        if method == "GET" or not 200 <= ask.own < 300 or not kinds:
            yield firsts(self.mine)
            return
        tenant = self.house.tenant
        things = await furnish(self.admin, brand_id=tenant.brand_id, **persons(tenant), kinds=kinds)
        try:
            yield firsts(self.mine) | firsts(things)
        finally:
            await ended(things)


@asynccontextmanager
async def furnished_street(token_daemon: SharedDaemon, issuer: Issuer) -> AsyncIterator[Street]:
    """Two tenants, of which one has two brands; a lodger administers the first one only.

    Whatever was asked, in the end everything behind the walls is as it was.
    """
    here, there = token_daemon.new_tenant("enterprise"), token_daemon.new_tenant("enterprise")
    house = House(token_daemon, issuer, here, await token_daemon.new_brand(here))
    admin = token_daemon.caller(token_daemon.new_key(here, "admin").api_key)
    neighbour = token_daemon.caller(token_daemon.new_key(there, "admin").api_key)
    async with admin, neighbour:
        wish = {"role": "admin", "brand_ids": [here.brand_id]}
        key = (await admin.post("/api/keys", json=wish)).json()["api_key"]
        doors = {"brand_id": there.brand_id, **persons(there)}
        rooms = {"brand_id": house.other_brand, "user_id": nothing(), "tenant_id": nothing()}
        unnamed = {
            **doors,
            "tenant_id": nothing(),
        }  # the audit log names the tenant that is asked for
        async with token_daemon.caller(key) as lodger:
            street = Street(
                house=house,
                routes=await routes_of(admin),
                admin=admin,
                lodger=lodger,
                next_door=await furnish(neighbour, **doors, kinds=EVERYTHING),
                next_room=await furnish(admin, **rooms, kinds=EVERYTHING),
                unasked=(
                    await furnish(neighbour, **unnamed, kinds=EVERYTHING),
                    await furnish(admin, **rooms, kinds=EVERYTHING),
                ),
                mine=await furnish(
                    admin, brand_id=here.brand_id, **persons(here), kinds=EVERYTHING
                ),
            )
            for owner, theirs in ((admin, street.mine), *[(w.owner, w) for _, w in street.walls()]):
                await examined(owner, theirs.ids["media"][0])
            before = [await condition_of(theirs) for _, theirs in street.walls()]
            yield street
            assert [await condition_of(theirs) for _, theirs in street.walls()] == before


def persons(tenant: Tenant) -> dict[str, str]:
    """A tenant and its user."""
    return {"tenant_id": tenant.tenant_id, "user_id": tenant.user_id}


async def routes_of(http: httpx.AsyncClient) -> dict[str, tuple[str, str]]:
    """Method and path of each operation that needs a caller."""
    document: dict[str, Any] = (await http.get("/schema/openapi.json")).json()
    return {
        operation["operationId"]: (method.upper(), path)
        for path, operations in document["paths"].items()
        if path.startswith("/api/")
        for method, operation in operations.items()
    }


async def asked(
    http: httpx.AsyncClient, route: tuple[str, str], ask: Ask, ids: Mapping[str, str]
) -> httpx.Response:
    """Ask for one thing; a stream of events is not listened to."""
    raw = msgspec.json.encode(ask.given).replace(b"$ID", ids[ask.kind].encode())
    raw = raw.replace(b"$NEW", nothing().encode())
    path_ids = {**ids, "item": ids[ask.kind]} if ask.kind == "trashed" else ids
    request = http.build_request(
        route[0], filled(route[1], path_ids), **msgspec.json.decode(raw, type=dict[str, Any])
    )
    answer = await http.send(request, stream=True)
    if "event-stream" not in answer.headers.get("content-type", ""):
        await answer.aread()
    await answer.aclose()
    return answer


def seen(answer: httpx.Response, one: str) -> tuple[int, dict[str, str], str]:
    """All that a caller can tell an answer by, but the id that it sent itself."""
    headers = {n: v for n, v in answer.headers.items() if n not in OF_THE_REQUEST}
    return answer.status_code, headers, answer.text.replace(one, "ID")


def firsts(things: Belongings) -> dict[str, str]:
    """The live thing of each kind."""
    return {kind: ids[0] for kind, ids in things.ids.items()}
