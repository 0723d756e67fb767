"""`sort`: every order of a list, page by page, while the list grows."""

import string
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from engarde_daemon.ports.lists import Sort
from tests.acceptance.content import created, fields_of, listed, titles
from tests.support.daemon import SharedDaemon, Tenant

ITEMS = 23
PAGE = 4
SORTS = [sort for sort in Sort if sort is not Sort.RELEVANCE]


def fields(number: int) -> dict[str, Any]:
    """An item whose title and schedule say nothing about when it was made; some share both."""
    letter = string.ascii_letters[number * 7 % 11]
    scheduled = {"scheduled_at": f"2026-06-{1 + number * 5 % 9:02}T10:00:00Z"}
    return {"title": f"{letter} title", **(scheduled if number % 3 else {})}


async def fill(http: httpx.AsyncClient, count: int = ITEMS) -> list[dict[str, Any]]:
    """Make items in an order that no other order repeats, and change every fourth."""
    made = [await created(http, **fields(number)) for number in range(count)]
    for item in made[::4]:
        answer = await http.patch(f"/api/content/{item['id']}", json={"tags": ["changed"]})
        assert answer.status_code == 200, answer.text
    return made


async def walk(
    http: httpx.AsyncClient, sort: str, each: Callable[[], Any] | None = None, **params: Any
) -> list[dict[str, Any]]:
    """All items of a list, by cursor; `each` is awaited between pages."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await listed(http, sort=sort, pageSize=PAGE, cursor=cursor, **params)
        found += page["data"]
        cursor = page["pagination"]["nextCursor"]
        if cursor is None:
            return found
        if each is not None:
            await each()


def expected(items: list[dict[str, Any]], sort: str) -> list[str]:
    """The ids in the order of a sort; what has no schedule stands last, whichever way."""
    name, downwards = sort.removeprefix("-"), sort.startswith("-")
    have = [item for item in items if item[name] is not None]
    rest = [item for item in items if item[name] is None]
    ordered = sorted(have, key=lambda i: (i[name], i["id"]), reverse=downwards)
    return [i["id"] for i in ordered + sorted(rest, key=lambda i: i["id"], reverse=downwards)]


@pytest.fixture(scope="module")
async def shelf(shared_daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An editor whose tenant holds items of all types, statuses and tags, all of it in the index."""
    tenant = shared_daemon.new_tenant()
    async with shared_daemon.caller(shared_daemon.new_key(tenant).api_key) as http:
        for number, item in enumerate(await fill(http)):
            change: dict[str, Any] = {"type": ("post", "ad", "reel")[number % 3]}
            if number % 4:
                change["status"] = ("published", "archived")[number % 2]
            await http.patch(f"/api/content/{item['id']}", json=change)
        await shared_daemon.until_carried(tenant)
        yield http


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_by_cursor_follow_the_order(shelf: httpx.AsyncClient, sort: str):
    """Each item once, also among those that are sorted alike."""
    found = await walk(shelf, sort)

    assert len(found) == ITEMS
    assert [item["id"] for item in found] == expected(found, sort)


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_by_number_follow_the_order(shelf: httpx.AsyncClient, sort: str):
    """The same items in the same order as by cursor."""
    pages = [await listed(shelf, sort=sort, pageSize=PAGE, page=number) for number in range(1, 8)]

    by_number = [item["id"] for page in pages for item in page["data"]]
    assert by_number == [item["id"] for item in await walk(shelf, sort)]
    assert {page["pagination"]["total"] for page in pages} == {ITEMS}


@pytest.mark.parametrize("sort", SORTS)
async def test_a_walk_is_stable_while_items_are_added(http: httpx.AsyncClient, sort: str):
    """Whoever was there at the start is met once, in order; newcomers move nobody."""
    made = {item["id"] for item in await fill(http, 13)}
    newcomers = iter(range(1000))

    async def add_some() -> None:
        for _ in range(2):
            await created(http, **fields(next(newcomers)))

    found = await walk(http, sort, add_some)

    ids = [item["id"] for item in found]
    assert len(set(ids)) == len(ids)
    assert made <= set(ids)
    assert ids == expected(found, sort)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(
    "params",
    [
        {"status": ["published", "archived"]},
        {"content_type": ["post", "ad"], "status": ["draft"]},
        {"tags": ["changed"]},
        {"date_from": "2020-01-01T00:00:00Z"},
        {"tags": ["changed"], "status": ["draft"], "content_type": ["ad", "post"]},
        {"search": "title", "tags": ["changed"]},
    ],
)
async def test_an_order_goes_with_filters(
    shelf: httpx.AsyncClient, sort: str, params: dict[str, Any]
):
    """The filtered list is the whole one without those that do not match."""

    def matches(item: dict[str, Any]) -> bool:
        return (
            item["status"] in params.get("status", item["status"])
            and item["type"] in params.get("content_type", item["type"])
            and set(params.get("tags", [])) <= set(item["tags"])
        )

    wanted = [item["id"] for item in await walk(shelf, sort) if matches(item)]
    found = [item["id"] for item in await walk(shelf, sort, **params)]

    assert found == wanted
    assert len(found) > 0
    assert (await listed(shelf, sort=sort, **params))["pagination"]["total"] == len(found)


async def test_titles_are_sorted_by_their_characters(http: httpx.AsyncClient):
    """As PostgreSQL's collation "C" does, the same in every installation."""
    for title in ("b", "a", "Ä", "B", "a b", "ab", "Z", "🎈"):
        await created(http, title=title)

    assert await titles(http, sort="title") == ["B", "Z", "a", "a b", "ab", "b", "Ä", "🎈"]


async def test_a_search_may_be_sorted(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Whether or not the index has caught up."""
    for title in ("b offer", "c offer", "a offer", "none"):
        await created(http, title=title)
    at_once = await titles(http, search="offer", sort="title")
    await daemon.until_carried(tenant)

    assert at_once == ["a offer", "b offer", "c offer"]
    assert await titles(http, search="offer", sort="-title") == at_once[::-1]
    assert [item["title"] for item in await walk(http, "title", search="offer")] == at_once


@pytest.mark.parametrize("sort", SORTS)
async def test_a_cursor_of_another_order_is_refused(http: httpx.AsyncClient, sort: str):
    """It would start somewhere, but nowhere that anybody meant."""
    await fill(http, 3)
    first = await listed(http, sort=sort, pageSize=1)
    other = next(one for one in SORTS if one != sort)
    cursor = first["pagination"]["nextCursor"]

    assert fields_of(await http.get(f"/api/content?sort={other}&cursor={cursor}")) == {"cursor"}


async def test_a_cursor_of_the_trash_does_not_fit_the_list(http: httpx.AsyncClient):
    """Nor the other way round."""
    for item in await fill(http, 4):
        await http.delete(f"/api/content/{item['id']}")
    trash = (await listed(http, trashed="true", pageSize=1))["pagination"]["nextCursor"]

    assert fields_of(await http.get(f"/api/content?cursor={trash}")) == {"cursor"}
    assert len((await listed(http, trashed="true", cursor=trash))["data"]) == 3


async def test_relevance_needs_something_to_be_relevant_to(http: httpx.AsyncClient):
    """Named as a fault of the sort."""
    assert fields_of(await http.get("/api/content?sort=relevance")) == {"sort"}


@pytest.mark.parametrize("sort", ["nope", "created_at,title", "-relevance", "id", "TITLE"])
async def test_an_unknown_order_is_named(http: httpx.AsyncClient, sort: str):
    """None is guessed."""
    assert fields_of(await http.get("/api/content", params={"sort": sort})) == {"sort"}
