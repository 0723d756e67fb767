"""`GET /api/content`: pages by number and by cursor, filters, totals."""

from datetime import datetime, timedelta, timezone
from typing import Any

import anyio
import httpx
import pytest

from tests.acceptance.content import created, listed, new_space, titles
from tests.acceptance.test_create import CAMPAIGN
from tests.support.daemon import SharedDaemon, Tenant

FIELDS = {
    "id", "title", "type", "status", "platforms", "preview", "thumbnail_url", "created_at",
    "updated_at",
}  # fmt: skip
PAGINATION = {"page", "pageSize", "total", "totalPages", "hasNext", "hasPrevious", "nextCursor"}
CROWD = 16


async def create_many(http: httpx.AsyncClient, count: int) -> list[dict[str, Any]]:
    """Make many items, several at a time."""
    made: list[dict[str, Any]] = []
    numbers = iter(range(count))

    async def create_some() -> None:
        made.extend([await created(http, title=f"item {number}") for number in numbers])

    async with anyio.create_task_group() as crowd:
        for _ in range(CROWD):
            crowd.start_soon(create_some)
    return made


class TestAPage:
    """What a page shows of its items."""

    async def test_an_empty_list_is_a_page(self, http: httpx.AsyncClient):
        """With every figure of the pagination."""
        assert await listed(http) == {
            "data": [],
            "pagination": {
                "page": 1,
                "pageSize": 20,
                "total": 0,
                "totalPages": 0,
                "hasNext": False,
                "hasPrevious": False,
                "nextCursor": None,
            },
        }

    async def test_an_item_has_every_field_of_the_architecture(self, http: httpx.AsyncClient):
        """With the values of the item."""
        made = await created(http, **CAMPAIGN)
        (item,) = (await listed(http))["data"]

        assert item.keys() >= FIELDS
        shown = FIELDS - {"preview", "thumbnail_url"}
        assert {name: item[name] for name in shown} == {name: made[name] for name in shown}
        assert item["preview"] == CAMPAIGN["body"]

    async def test_the_preview_is_the_first_200_characters(self, http: httpx.AsyncClient):
        """Of characters, not of bytes; the body itself is not sent."""
        await created(http, body="ü" * 150 + "x" * 150)
        (item,) = (await listed(http))["data"]

        assert item["preview"] == "ü" * 150 + "x" * 50
        assert "body" not in item

    async def test_bodies_are_sent_when_asked_for(self, http: httpx.AsyncClient):
        """Each with its own item."""
        made = [await created(http, body=f"{number}" * 300) for number in range(5)]
        page = await listed(http, include="body")

        assert {item["id"]: item["body"] for item in page["data"]} == {
            item["id"]: item["body"] for item in made
        }

    async def test_bodies_come_from_zerodb_when_nobody_remembers_them(
        self, daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
    ):
        """Bodies too large for the cache, delivered and gone from PostgreSQL."""
        bodies = [f"{number} {'too large for the cache ' * 180_000}" for number in range(2)]
        for body in bodies:
            await created(http, body=body)
        await daemon.until_carried(tenant)
        page = await listed(http, include="body")

        assert [item["body"] for item in page["data"]] == bodies[::-1]

    async def test_the_newest_item_comes_first(self, http: httpx.AsyncClient):
        """By creation; a change does not move an item."""
        made = [await created(http, title=str(number)) for number in range(3)]
        await http.patch(f"/api/content/{made[0]['id']}", json={"body": "changed"})

        assert await titles(http) == ["2", "1", "0"]

    async def test_a_list_shows_changes_at_once(self, http: httpx.AsyncClient):
        """A writer reads what it wrote."""
        made = await created(http)
        await http.patch(f"/api/content/{made['id']}", json={"title": "New", "body": "New too"})
        (item,) = (await listed(http))["data"]

        assert (item["title"], item["preview"], item["version"]) == ("New", "New too", 2)


class TestPagesByNumber:
    """`page` and `pageSize`."""

    async def test_pages_follow_each_other(self, http: httpx.AsyncClient):
        """Each item is on one page, and each page knows its neighbours."""
        made = await create_many(http, 45)
        pages = [await listed(http, page=number, pageSize=20) for number in (1, 2, 3)]

        ids = [item["id"] for page in pages for item in page["data"]]
        assert sorted(ids) == sorted(item["id"] for item in made)
        assert [len(page["data"]) for page in pages] == [20, 20, 5]
        marks = [(p["pagination"]["hasPrevious"], p["pagination"]["hasNext"]) for p in pages]
        assert marks == [(False, True), (True, True), (True, False)]

    async def test_the_totals_count_all_pages(self, http: httpx.AsyncClient):
        """Whichever page is looked at."""
        await create_many(http, 41)
        for number in (1, 3, 9):
            pagination = (await listed(http, page=number, pageSize=20))["pagination"]

            assert pagination.keys() == PAGINATION
            assert (pagination["total"], pagination["totalPages"]) == (41, 3)
            assert (pagination["page"], pagination["pageSize"]) == (number, 20)

    async def test_a_page_behind_the_end_is_empty(self, http: httpx.AsyncClient):
        """Not an error: the list may have become shorter."""
        await created(http)
        page = await listed(http, page=5_000)

        assert (page["data"], page["pagination"]["total"]) == ([], 1)
        assert page["pagination"]["hasNext"] is False

    async def test_an_exactly_full_page_is_the_last_one(self, http: httpx.AsyncClient):
        """No empty page is promised after it."""
        await create_many(http, 6)
        last = (await listed(http, page=2, pageSize=3))["pagination"]

        assert (last["hasNext"], last["nextCursor"], last["totalPages"]) == (False, None, 2)

    async def test_a_page_may_hold_a_hundred_items(self, http: httpx.AsyncClient):
        """And a single one."""
        await create_many(http, 101)

        assert len((await listed(http, pageSize=100))["data"]) == 100
        assert len((await listed(http, pageSize=1))["data"]) == 1


class TestPagesByCursor:
    """`nextCursor`, passed back as `cursor`."""

    async def test_a_walk_meets_each_item_once_while_others_write(self, http: httpx.AsyncClient):
        """250 items; at every page some are added, and one that was seen is deleted."""
        made = {item["id"] for item in await create_many(http, 250)}
        seen: list[str] = []
        page = await listed(http, pageSize=20)
        while True:
            seen += [item["id"] for item in page["data"]]
            cursor = page["pagination"]["nextCursor"]
            if cursor is None:
                break
            await create_many(http, 3)
            await http.delete(f"/api/content/{seen[-2]}")
            page = await listed(http, pageSize=20, cursor=cursor)

        assert len(seen) == 250
        assert set(seen) == made

    async def test_a_cursor_outlives_its_item(self, http: httpx.AsyncClient):
        """It names a place in the list, not the item that stood there."""
        for number in range(4):
            await created(http, title=str(number))
        first = await listed(http, pageSize=2)
        await http.delete(f"/api/content/{first['data'][-1]['id']}")

        assert await titles(http, cursor=first["pagination"]["nextCursor"]) == ["1", "0"]

    async def test_a_cursor_works_under_filters(self, http: httpx.AsyncClient):
        """The walk goes on among those that match."""
        for number in range(9):
            await created(http, title=str(number), type="ad" if number % 2 else "post")
        first = await listed(http, content_type="post", pageSize=3)
        cursor = first["pagination"]["nextCursor"]

        assert [item["title"] for item in first["data"]] == ["8", "6", "4"]
        assert await titles(http, content_type="post", pageSize=3, cursor=cursor) == ["2", "0"]

    async def test_a_cursor_works_in_a_search(self, http: httpx.AsyncClient):
        """Hits come in the order of the list, newest first."""
        for number in range(5):
            await created(http, title=f"offer {number}")
        first = await listed(http, search="offer", pageSize=3)
        cursor = first["pagination"]["nextCursor"]

        assert [item["title"] for item in first["data"]] == ["offer 4", "offer 3", "offer 2"]
        assert await titles(http, search="offer", cursor=cursor) == ["offer 1", "offer 0"]

    async def test_pages_after_the_first_have_one_before(self, http: httpx.AsyncClient):
        """`hasPrevious` is true for a page by cursor."""
        await create_many(http, 3)
        first = (await listed(http, pageSize=2))["pagination"]
        second = (await listed(http, pageSize=2, cursor=first["nextCursor"]))["pagination"]

        assert (first["hasPrevious"], second["hasPrevious"]) == (False, True)
        assert second["total"] == 3

    async def test_an_empty_cursor_is_the_start_of_the_list(self, http: httpx.AsyncClient):
        """Clients send what they have, which is nothing at first."""
        await create_many(http, 3)

        assert await listed(http, cursor="") == await listed(http)


@pytest.fixture
async def shelf(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Items that differ in everything that can be filtered by."""
    summer = {"campaign_space_id": await new_space(http)}
    return [
        await created(http, title="a", type="post", status="draft", tags=["red"], **summer),
        await created(http, title="b", type="ad", status="published", tags=["red", "blue"]),
        await created(http, title="c", type="post", status="published", tags=["Blue"], **summer),
        await created(http, title="d", type="video", status="archived", tags=["comma,tag"]),
        await created(http, title="e", type="ad", status="draft", tags=["red", "it's \\ odd"]),
    ]


class TestFilters:
    """Each alone, and several together."""

    @pytest.mark.parametrize(
        ("params", "wanted"),
        [
            ({"content_type": "post"}, "ca"),
            ({"content_type": "post,video"}, "dca"),
            ({"content_type": ["post", "video"]}, "dca"),
            ({"content_type": "reel"}, ""),
            ({"status": "draft"}, "ea"),
            ({"status": ["published", "archived"]}, "dcb"),
            ({"tags": "red"}, "eba"),
            ({"tags": "blue"}, "cb"),
            ({"tags": "red,blue"}, "b"),
            ({"tags": ["red", "blue"]}, "b"),
            ({"tags": "it's \\ odd"}, "e"),
            ({"tags": "re"}, ""),
            ({"content_type": "ad", "status": "draft"}, "e"),
            ({"content_type": "post", "status": "draft", "tags": "red"}, "a"),
            ({"status": "published", "tags": "red", "content_type": "ad"}, "b"),
            ({"search": "a title", "status": "draft"}, ""),
            ({"search": "body", "status": "draft", "tags": "red", "content_type": "post"}, "a"),
        ],
    )
    @pytest.mark.usefixtures("shelf")
    async def test_who_matches_is_listed(
        self, http: httpx.AsyncClient, params: dict[str, Any], wanted: str
    ):
        """Newest first, with the total of those that match."""
        page = await listed(http, **params)

        assert "".join(item["title"] for item in page["data"]) == wanted
        assert page["pagination"]["total"] == len(wanted)

    async def test_a_campaign_lists_its_own(
        self, http: httpx.AsyncClient, shelf: list[dict[str, Any]]
    ):
        """Alone, and together with other filters."""
        summer = shelf[0]["campaign_space_id"]

        assert await titles(http, campaign_space_id=summer) == ["c", "a"]
        assert await titles(http, campaign_space_id=summer, tags="red") == ["a"]
        assert await titles(http, campaign_space_id=summer, search="body") == ["c", "a"]
        assert await titles(http, campaign_space_id=await new_space(http)) == []

    async def test_the_range_of_dates_includes_its_ends(
        self, http: httpx.AsyncClient, shelf: list[dict[str, Any]]
    ):
        """To the microsecond, in whatever zone they are written."""
        b, d = shelf[1]["created_at"], shelf[3]["created_at"]

        assert await titles(http, date_from=b, date_to=d) == ["d", "c", "b"]
        assert await titles(http, date_from=d) == ["e", "d"]
        assert await titles(http, date_to=b) == ["b", "a"]
        assert await titles(http, date_from=d, date_to=b) == []

    async def test_dates_in_another_zone_are_the_same_moments(self, http: httpx.AsyncClient):
        """14 hours ahead is not tomorrow."""
        made = await created(http)
        at = datetime.fromisoformat(made["created_at"])
        there = at.astimezone(timezone(timedelta(hours=14))).isoformat()

        assert await titles(http, date_from=there, date_to=there) == ["A title"]

    async def test_a_date_joins_the_other_filters(
        self, http: httpx.AsyncClient, shelf: list[dict[str, Any]]
    ):
        """All of them must hold."""
        params = {"date_from": shelf[1]["created_at"], "tags": "red", "search": "body"}

        assert await titles(http, **params) == ["e", "b"]

    async def test_filtered_totals_follow_changes(self, http: httpx.AsyncClient, shelf: Any):
        """An item counts under what it is now."""
        await http.patch(f"/api/content/{shelf[0]['id']}", json={"type": "reel", "tags": []})
        await http.delete(f"/api/content/{shelf[2]['id']}")

        totals = {
            name: (await listed(http, **params))["pagination"]["total"]
            for name, params in {
                "post": {"content_type": "post"},
                "reel": {"content_type": "reel"},
                "red": {"tags": "red"},
                "all": {},
            }.items()
        }
        assert totals == {"post": 0, "reel": 1, "red": 2, "all": 4}

    @pytest.mark.usefixtures("shelf")
    async def test_pages_of_a_filtered_list_add_up(self, http: httpx.AsyncClient):
        """By number, as without a filter."""
        pages = [await listed(http, tags="red", pageSize=2, page=number) for number in (1, 2, 3)]

        assert [[item["title"] for item in page["data"]] for page in pages] == [
            ["e", "b"], ["a"], []
        ]  # fmt: skip
        assert [page["pagination"]["total"] for page in pages] == [3, 3, 3]


async def test_a_list_shows_one_brand(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """The caller's own, or another of its tenant that it names."""
    other = await daemon.new_brand(tenant)
    await created(http, title="ours")
    await created(http, title="other", brand_id=other)
    in_header = await http.get("/api/content", headers={"X-Brand-ID": other})

    assert await titles(http) == ["ours"]
    assert await titles(http, brand_id=other) == ["other"]
    assert [item["title"] for item in in_header.json()["data"]] == ["other"]


async def test_a_search_stays_in_its_brand(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Words of another brand of the same tenant are not found."""
    other = await daemon.new_brand(tenant)
    await created(http, title="ours")
    await created(http, title="other", brand_id=other)

    assert await titles(http, search="body") == ["ours"]
    assert await titles(http, search="body", brand_id=other) == ["other"]
