"""What belongs to another tenant, or to another brand, answers on every route as if it were not.

The routes are those of the API's own document: one without an entry in the table fails. Whatever
is asked, by whatever name it takes an id, the answer for another's thing, live or deleted, is that
for an id which nobody has: in status, headers and body.
"""

import re
from collections.abc import AsyncIterator

import pytest

from tests.acceptance.access.belongings import nothing
from tests.acceptance.access.matrix import ASKS, MADE, MATRIX, PAGED, STREAMS, Ask, filled, kinds_in
from tests.acceptance.access.street import Street, asked, firsts, furnished_street, seen
from tests.support.daemon import SharedDaemon
from tests.support.issuer import Issuer


@pytest.fixture(scope="module")
async def street(token_daemon: SharedDaemon, shared_issuer: Issuer) -> AsyncIterator[Street]:
    """One for all tests here."""
    async with furnished_street(token_daemon, shared_issuer) as street:
        yield street


async def test_every_route_has_an_entry(street: Street):
    """And each that names a thing in its path is asked for another's."""
    assert set(street.routes) == set(MATRIX)
    for name, (_, path) in street.routes.items():
        kinds = {"item" if ask.kind == "trashed" else ask.kind for ask in MATRIX[name]}
        assert kinds_in(path) <= kinds, f"{name} is never asked for another's {kinds_in(path)}"


@pytest.mark.parametrize(("name", "ask"), ASKS)
async def test_what_is_anothers_does_not_exist(street: Street, name: str, ask: Ask):
    """Live or deleted, next door or in the next room; and what is one's own does."""
    route = street.routes[name]
    async with street.furnished(name, ask) as mine:
        for caller, theirs in street.walls():
            for one in theirs.ids[ask.kind]:
                none = nothing()
                unknown = await asked(caller, route, ask, {**mine, ask.kind: none})
                foreign = await asked(caller, route, ask, {**mine, ask.kind: one})
                assert seen(foreign, one) == seen(unknown, none)
        own = await asked(street.admin, route, ask, mine)
        assert own.status_code == ask.own, own.text


async def test_no_answer_without_ids_shows_what_is_anothers(street: Street):
    """Lists, counts and exports hold one's own things alone."""
    listing = {
        name: path
        for name, (method, path) in street.routes.items()
        if method == "GET" and not kinds_in(path) and name not in STREAMS
    }
    assert len(listing) >= 8
    for caller, theirs in street.quiet_walls():
        for name, path in listing.items():
            text = _but_for_what_was_asked((await caller.get(path)).text)
            assert [one for one in theirs.all_ids() if one in text] == [], name


async def test_every_cursor_is_tried(street: Street):
    """Which routes take one, the routes say themselves; each of them is asked below."""
    paged = set()
    mine = firsts(street.mine)
    for name, (method, path) in street.routes.items():
        if method == "GET" and name != "followEvents":
            answer = await street.admin.get(filled(path, mine), params={"cursor": "!"})
            faults = answer.json()["errors"] if answer.status_code == 422 else []
            if any("unknown" not in fault["message"] for fault in faults):
                paged.add(name)

    assert paged == PAGED


@pytest.mark.parametrize("name", sorted(PAGED))
async def test_a_cursor_of_anothers_is_only_a_place(street: Street, name: str):
    """It opens nothing: what comes after it is one's own."""
    _, path = street.routes[name]
    for caller, theirs in street.quiet_walls():
        brand = {"brand_id": theirs.ids["brand"][0]} if name == "listContent" else {}
        there = filled(path, firsts(theirs))
        size = "limit" if name == "listVersions" else "pageSize"
        page = (await theirs.owner.get(there, params={size: 1, **brand})).json()["pagination"]
        cursor = page.get("nextCursor") or page.get("next_cursor")
        assert cursor
        here = filled(path, firsts(street.mine))
        answer = await caller.get(here, params={"cursor": cursor, size: 100})
        assert answer.status_code in {200, 403}
        shown = _but_for_what_was_asked(answer.text)
        assert [one for one in theirs.all_ids() if one in shown] == []


def _but_for_what_was_asked(text: str) -> str:
    """The audit log names what one asked for, other tests asked for what is another's."""
    return re.sub(r'"subject_id": ?"[^"]*"', "", text)


@pytest.mark.parametrize("name", MADE)
async def test_an_idempotency_key_of_anothers_is_free(street: Street, name: str):
    """The same request with the same key is somebody else's: it is neither replayed nor refused."""
    given = MADE[name]
    key = {"Idempotency-Key": f"everyones-{name}"}
    ask = Ask("brand", 201, given | {"headers": given.get("headers", {}) | key})
    answers = []
    callers = [
        (street.next_door.owner, street.next_door.ids["brand"][0]),
        (street.admin, street.house.tenant.brand_id),
        (street.lodger, street.house.tenant.brand_id),
    ]
    for caller, brand_id in callers:
        answers.append(await asked(caller, street.routes[name], ask, {"brand": brand_id}))

    barred = name == "createWebhook"  # which is the whole tenant's
    made = 202 if name == "generateBatch" else 201
    assert [answer.status_code for answer in answers] == [made, made, 403 if barred else made]
    ids = {answer.text.partition('id":')[2][:40] for answer in answers}
    assert len(ids) == len(answers)
    assert not any("idempotent-replayed" in answer.headers for answer in answers)
