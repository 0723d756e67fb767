"""Bulk status, tags and delete: each item for itself, by id or by a confirmed filter."""

from typing import Any

import httpx
import pytest

from tests.acceptance.bulk.asking import BULK, made, told
from tests.acceptance.content import created, fields_of, listed, problem_of, quota, titles
from tests.support.daemon import SharedDaemon, Tenant

NOWHERE = "00000000-0000-7000-8000-000000000000"


class TestRefusals:
    """What is not clear, or too much, touches nothing."""

    @pytest.mark.parametrize(
        ("verb", "wish", "named"),
        [
            ("delete", {}, {"ids"}),
            ("delete", {"ids": ["x"], "filter": {}, "confirm": 1}, {"ids"}),
            ("delete", {"filter": {}}, {"confirm"}),
            ("delete", {"ids": []}, {"ids"}),
            ("delete", {"ids": ["x"] * 501}, {"ids"}),
            ("delete", {"ids": [1]}, {"ids[0]"}),
            ("delete", {"ids": ["x"], "confirm": -1}, {"confirm"}),
            ("delete", {"ids": ["x"], "status": "draft"}, {"status"}),
            ("delete", {"filter": {"nope": 1}, "confirm": 1}, {"filter"}),
            ("delete", {"filter": {"status": ["nope"]}, "confirm": 1}, {"filter.status[0]"}),
            ("status", {"ids": ["x"]}, {"status"}),
            ("status", {"ids": ["x"], "status": "nope"}, {"status"}),
            ("status", {"ids": ["x"], "status": "scheduled", "scheduled_at": "soon"}, {"scheduled_at"}),
            ("tags", {"ids": ["x"]}, {"add"}),
            ("tags", {"add": []}, {"ids", "add"}),
            ("tags", {"ids": ["x"], "add": [""]}, {"add[0]"}),
        ],
    )  # fmt: skip
    async def test_what_is_not_clear_is_named(
        self, http: httpx.AsyncClient, verb: str, wish: dict[str, Any], named: set[str]
    ):
        """422, with every field that is wrong."""
        assert fields_of(await http.post(f"{BULK}/{verb}", json=wish)) == named

    async def test_an_unconfirmed_filter_touches_nothing(self, http: httpx.AsyncClient):
        """Neither with more nor with fewer than there are; the answer says how many."""
        await made(http, 5)
        for wrong in (4, 6, 0):
            answer = await http.post(f"{BULK}/delete", json={"filter": {}, "confirm": wrong})
            problem = problem_of(answer, 409)

            assert problem["type"].endswith("not_confirmed")
            assert problem["matching"] == 5
        assert (await listed(http))["pagination"]["total"] == 5

    async def test_a_filter_that_matches_too_many_is_refused(self, http: httpx.AsyncClient):
        """However they are confirmed."""
        await made(http, 500)
        await made(http, 1)
        wish = {"filter": {"status": ["draft"]}, "confirm": 501}

        assert fields_of(await http.post(f"{BULK}/delete", json=wish)) == {"filter"}
        assert (await listed(http))["pagination"]["total"] == 501


class TestIds:
    """By id, each item is answered for itself."""

    async def test_whoever_is_not_there_is_told_so(
        self, http: httpx.AsyncClient, stranger: httpx.AsyncClient
    ):
        """Unknown, a stranger's, deleted and impossible ids alike; the others are changed."""
        ours = await made(http, 3)
        theirs = (await created(stranger))["id"]
        await http.delete(f"/api/content/{ours[1]}")
        ids = [ours[0], NOWHERE, theirs, ours[1], "no id at all", ours[2]]
        data, errors = await told(http, "status", 207, ids=ids, status="published")

        assert [item["id"] for item in data] == [ours[0], ours[2]]
        assert [(e["index"], e["id"], e["status"]) for e in errors] == [
            (place, ids[place], 404) for place in (1, 2, 3, 4)
        ]
        assert len({e["detail"] for e in errors}) == 1
        assert (await stranger.get(f"/api/content/{theirs}")).json()["status"] == "draft"

    async def test_an_id_that_comes_twice_is_meant_once(self, http: httpx.AsyncClient):
        """One version, one answer."""
        (item,) = await made(http, 1)
        data, _ = await told(http, "tags", ids=[item, item], add=["x"])

        assert [one["version"] for one in data] == [2]


class TestStatus:
    """Another status for many."""

    async def test_each_that_may_is_changed(self, http: httpx.AsyncClient):
        """And the others are told why not."""
        drafts, done = await made(http, 2), await made(http, 2, status="published")
        moment = "2030-01-01T10:00:00Z"
        data, errors = await told(
            http, "status", 207, ids=drafts + done, status="scheduled", scheduled_at=moment
        )

        assert [(item["id"], item["status"], item["version"]) for item in data] == [
            (id_, "scheduled", 2) for id_ in drafts
        ]
        assert [(e["id"], e["type"].rpartition(":")[2]) for e in errors] == [
            (id_, "illegal_transition") for id_ in done
        ]
        assert (await http.get(f"/api/content/{drafts[0]}")).json()["scheduled_at"] == moment

    async def test_a_schedule_without_a_moment_is_refused_item_by_item(
        self, http: httpx.AsyncClient
    ):
        """One may have had a moment already."""
        first, second = await made(http, 2)
        await http.patch(f"/api/content/{first}", json={"scheduled_at": "2030-01-01T10:00:00Z"})
        data, errors = await told(http, "status", 207, ids=[first, second], status="scheduled")

        assert [item["id"] for item in data] == [first]
        assert [e["errors"][0]["field"] for e in errors] == ["scheduled_at"]

    async def test_what_is_so_already_makes_no_version(self, http: httpx.AsyncClient):
        """The answer says that nothing changed."""
        ids = await made(http, 2, status="published")
        data, _ = await told(http, "status", ids=ids, status="published")

        assert [(item["version"], item["changed"]) for item in data] == [(1, False)] * 2

    async def test_the_history_tells_it(self, http: httpx.AsyncClient):
        """As a change of its own would."""
        (item,) = await made(http, 1)
        await told(http, "status", ids=[item], status="published")
        versions = (await http.get(f"/api/content/{item}")).json()["versions"]

        assert [version["change_type"] for version in versions] == ["create", "publish"]


class TestTags:
    """Tags on many, and off."""

    async def test_they_come_and_go_beside_the_others(self, http: httpx.AsyncClient):
        """Capitals make no difference; what changes nothing makes no version."""
        ids = [(await created(http, tags=tags))["id"] for tags in (["a", "Old"], ["new"], [])]
        data, _ = await told(http, "tags", ids=ids, add=["New"], remove=["OLD"])

        assert [item["tags"] for item in data] == [["a", "New"], ["new"], ["New"]]
        assert [(item["version"], item["changed"]) for item in data] == [
            (2, True), (1, False), (2, True)
        ]  # fmt: skip
        assert (await listed(http, tags="new"))["pagination"]["total"] == 3

    async def test_an_item_with_too_many_keeps_what_it_has(self, http: httpx.AsyncClient):
        """Its neighbours get theirs."""
        full = (await created(http, tags=[str(n) for n in range(100)]))["id"]
        (other,) = await made(http, 1)
        data, errors = await told(http, "tags", 207, ids=[full, other], add=["one more"])

        assert [item["id"] for item in data] == [other]
        assert [(e["id"], e["status"]) for e in errors] == [(full, 422)]


class TestDelete:
    """Many into the trash."""

    async def test_they_are_gone_and_can_come_back(self, http: httpx.AsyncClient):
        """Their room is free at once."""
        ids = await made(http, 4)
        data, _ = await told(http, "delete", ids=ids[:3])

        assert all(item["deleted_at"] for item in data)
        assert (await quota(http))["usage"]["total_content_items"] == 1
        assert (await listed(http, trashed="true"))["pagination"]["total"] == 3
        assert (await http.post(f"/api/content/{ids[0]}/restore")).status_code == 200


class TestFilter:
    """By a filter, as many as were confirmed."""

    async def test_exactly_the_matching_are_changed(
        self, daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
    ):
        """Every filter of a list may be used, also together."""
        other = await daemon.new_brand(tenant)
        for number in range(12):
            await created(
                http,
                title=f"{'offer' if number % 2 else 'story'} {number}",
                type="ad" if number % 3 else "post",
                tags=["x"] if number % 4 else [],
            )
        await created(http, title="offer 13", type="ad", tags=["x"], brand_id=other)
        wish = {"content_type": ["ad"], "tags": ["X"], "search": "offer", "status": ["draft"]}
        data, errors = await told(http, "tags", filter=wish, confirm=4, add=["chosen"])

        assert errors == []
        assert sorted(await titles(http, tags="chosen")) == [
            "offer 1", "offer 11", "offer 5", "offer 7"
        ]  # fmt: skip
        assert len(data) == 4

    async def test_another_brand_is_another_filter(
        self, daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
    ):
        """It may be named; one of nobody is not there."""
        other = await daemon.new_brand(tenant)
        await created(http)
        theirs = await created(http, brand_id=other)
        data, _ = await told(http, "delete", filter={"brand_id": other}, confirm=1)

        assert [item["id"] for item in data] == [theirs["id"]]
        wish = {"filter": {"brand_id": NOWHERE}, "confirm": 0}
        problem_of(await http.post(f"{BULK}/delete", json=wish), 404)

    async def test_nothing_confirmed_is_nothing_done(self, http: httpx.AsyncClient):
        """An empty selection is no error when nobody expected more."""
        data, errors = await told(http, "delete", filter={"tags": ["nobody"]}, confirm=0)

        assert (data, errors) == ([], [])

    async def test_up_to_500_are_changed_at_once(self, http: httpx.AsyncClient):
        """In one request."""
        await made(http, 500, tags=["all"])
        data, _ = await told(
            http, "status", filter={"tags": ["all"]}, confirm=500, status="archived"
        )

        assert len(data) == 500
        assert (await listed(http, status="archived"))["pagination"]["total"] == 500
