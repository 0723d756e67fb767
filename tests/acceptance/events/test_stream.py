"""Listeners are told of everything, in order, once or more, and of nothing that is not theirs."""

import anyio
import httpx
import pytest

from tests.acceptance.content import created, fields_of, problem_of
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.following import follow

LISTENERS = 200


async def lives(http: httpx.AsyncClient) -> str:
    """Lead an item through its life; answers with its id."""
    item = f"/api/content/{(await created(http))['id']}"
    for change in ({"title": "Renamed"}, {"status": "published"}, {"status": "archived"}):
        assert (await http.patch(item, json=change)).status_code == 200
    assert (await http.delete(item)).status_code == 200
    assert (await http.post(f"{item}/restore")).status_code == 200
    return item.rpartition("/")[2]


LIFE = [
    "content.created",
    "content.updated",
    "content.published",
    "content.archived",
    "content.deleted",
    "content.restored",
]


async def test_a_life_is_told_in_order(http: httpx.AsyncClient, tenant: Tenant):
    """Each step of an item is one event, with its version and what changed."""
    async with follow(http) as stream:
        content_id = await lives(http)
        told = await stream.take(len(LIFE))

    assert [event.type for event in told] == LIFE
    assert [event.position for event in told] == [1, 2, 3, 4, 5, 6]
    for version, event in enumerate(told, start=1):
        assert event.document["tenant_id"] == tenant.tenant_id
        assert event.document["brand_id"] == tenant.brand_id
        assert event.document["data"]["id"] == content_id
        assert event.document["data"]["version"] == version
    assert told[1].document["data"]["title"] == "Renamed"
    assert len({event.document["id"] for event in told}) == len(told)


async def test_who_comes_again_goes_on_where_they_were(http: httpx.AsyncClient):
    """Whether by header, as browsers do, or by parameter."""
    await lives(http)

    async with follow(http, after=2) as stream:
        by_header = await stream.take(4)
    async with follow(http, last_event_id=2) as stream:
        by_parameter = await stream.take(4)

    assert [event.position for event in by_header] == [3, 4, 5, 6]
    assert by_parameter == by_header


async def test_who_comes_anew_is_told_what_is_new(http: httpx.AsyncClient):
    """The past is not repeated unless it is asked for, and the answer says where it begins."""
    await lives(http)

    async with follow(http) as stream:
        assert stream.began_after == 6
        await created(http)
        assert (await stream.next()).position == 7


async def test_a_long_past_is_told_without_a_gap(http: httpx.AsyncClient):
    """Many pages from the log, then what is written meanwhile."""
    for number in range(150):
        await created(http, title=f"Item {number}")

    async with follow(http, after=0) as stream, anyio.create_task_group() as writers:
        for _ in range(20):
            writers.start_soon(created, http)
        told = await stream.take(170)

    assert [event.position for event in told] == list(range(1, 171))


async def test_a_filter_lets_only_its_types_pass(http: httpx.AsyncClient):
    """A pattern stands for an area; several are combined."""
    async with follow(http, types="content.created,content.deleted,quota.*") as stream:
        await lives(http)
        told = await stream.take(2)

    assert [event.type for event in told] == ["content.created", "content.deleted"]


async def test_a_stranger_is_told_nothing(http: httpx.AsyncClient, stranger: httpx.AsyncClient):
    """Positions are each tenant's own: they do not even tell how much others write."""
    async with follow(stranger) as stream:
        await lives(http)
        await created(stranger)
        told = await stream.next()

    assert told.position == 1
    async with follow(stranger, after=0) as stream:
        assert await stream.next() == told


async def test_a_brand_can_be_followed_alone(
    daemon: SharedDaemon, http: httpx.AsyncClient, tenant: Tenant
):
    """Events of other brands are left out; a brand that is not the caller's is not found."""
    other = await daemon.new_brand(tenant)

    async with follow(http, brand_id=other) as stream:
        await created(http)
        await created(http, brand_id=other)
        told = await stream.next()
    refused = await http.get("/api/events", params={"brand_id": daemon.new_tenant().brand_id})

    assert told.document["brand_id"] == other
    problem_of(refused, 404)


async def test_a_quiet_stream_gives_signs_of_life(http: httpx.AsyncClient):
    """Comments, which clients pass over, keep proxies from ending it."""
    async with follow(http) as stream:
        await stream.beats(2)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"types": "content.created,contents.*"}, "types"),
        ({"last_event_id": "-1"}, "last_event_id"),
        ({"last_event_id": "x"}, "last_event_id"),
        ({"last_event_id": "99"}, "last_event_id"),
        ({"last_event_id": "9" * 30}, "last_event_id"),
        ({"since": "1"}, "since"),
    ],
)
async def test_a_wrong_question_is_refused(
    http: httpx.AsyncClient, params: dict[str, str], field: str
):
    """Before the stream begins, as a problem that names the field."""
    refused = await http.get("/api/events", params=params)

    assert fields_of(refused) == {field}


async def test_a_stream_needs_a_caller(daemon: SharedDaemon):
    """Like everything below /api."""
    async with daemon.caller(None) as nobody:
        problem_of(await nobody.get("/api/events"), 401)


async def test_many_listeners_hear_the_same(http: httpx.AsyncClient, daemon: SharedDaemon):
    """Each of them everything, while others are served at once."""
    heard: list[list[int]] = []

    async def listen(ready: anyio.Semaphore) -> None:
        async with follow(crowd) as stream:
            ready.release()
            heard.append([event.position for event in await stream.take(10)])

    limits = httpx.Limits(max_connections=LISTENERS)
    async with httpx.AsyncClient(
        base_url=http.base_url, headers=http.headers, limits=limits, trust_env=False
    ) as crowd:
        ready = anyio.Semaphore(0)
        async with anyio.create_task_group() as listeners:
            for _ in range(LISTENERS):
                listeners.start_soon(listen, ready)
            for _ in range(LISTENERS):
                await ready.acquire()
            for number in range(10):
                await created(http, title=f"Item {number}")

    assert heard == [list(range(1, 11))] * LISTENERS


async def test_a_revoked_key_listens_no_more(daemon: SharedDaemon, tenant: Tenant):
    """The stream ends, and another one is refused."""
    key = daemon.new_key(tenant)
    async with daemon.caller(key.api_key) as http, follow(http) as stream:
        daemon.command("keys", "revoke", key.key_id)
        assert await stream.ends() == []
        problem_of(await http.get("/api/events"), 401)
