"""`POST /api/content/bulk`: all items or none, or each for itself."""

import hashlib
import json
from typing import Any

import anyio
import httpx
import pytest

from tests.acceptance.bulk.asking import BULK, create_many, drafts
from tests.acceptance.content import (
    created,
    draft,
    fields_of,
    holds_nothing,
    listed,
    new_space,
    problem_of,
    quota,
    titles,
)
from tests.acceptance.test_create import CAMPAIGN
from tests.support.daemon import TINY_PLAN_BYTES, SharedDaemon, Tenant

NOWHERE = "00000000-0000-7000-8000-000000000000"
DEEP = json.loads("[" * 70 + "]" * 70)


class TestRefusals:
    """One refusal refuses all, and names every item that is wrong."""

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"title": ""}, ".title"),
            ({"title": 7}, ".title"),
            ({"body": None}, ".body"),
            ({"type": "poem"}, ".type"),
            ({"tags": ["ok", 1]}, ".tags[1]"),
            ({"status": "scheduled"}, ".scheduled_at"),
            ({"unknown": 1}, ".unknown"),
            ({"title": "a\0b"}, ".title"),
            ({"metadata": {"deep": DEEP}}, ".metadata"),
            ({"campaign_space_id": NOWHERE}, ".campaign_space_id"),
        ],
    )
    async def test_a_wrong_field_is_named_with_its_item(
        self, http: httpx.AsyncClient, wrong: dict[str, Any], field: str
    ):
        """As a create would name it, and nothing is stored."""
        items = [draft(), draft(**wrong), draft()]
        answer = await create_many(http, items)
        (error,) = problem_of(answer, 422)["errors"]

        assert (error["index"], error["field"]) == (1, f"items[1]{field}")
        assert await holds_nothing(http)

    async def test_every_wrong_item_is_named(self, http: httpx.AsyncClient):
        """With all of its faults, and things that are no items at all."""
        items = [draft(), {"title": "", "tags": 5}, 17, draft(), None, {"body": "x"}]
        problem = problem_of(await create_many(http, items), 422)

        assert {(error["index"], error["field"]) for error in problem["errors"]} == {
            (1, "items[1].title"),
            (1, "items[1].tags"),
            (1, "items[1].body"),
            (2, "items[2]"),
            (4, "items[4]"),
            (5, "items[5].title"),
        }
        assert await holds_nothing(http)

    async def test_a_foreign_brand_is_not_there(self, http: httpx.AsyncClient):
        """Like any other id that is nobody's."""
        answer = await create_many(http, [draft(), draft(brand_id=NOWHERE)])

        assert [error["index"] for error in problem_of(answer, 404)["errors"]] == [1]
        assert await holds_nothing(http)

    async def test_what_the_plan_has_no_room_for_keeps_out_the_rest(self, daemon: SharedDaemon):
        """Each item that does not fit is named, with usage, plan and the way out."""
        async with daemon.caller(daemon.new_key(daemon.new_tenant("tiny")).api_key) as http:
            half = "x" * (TINY_PLAN_BYTES // 2)
            items = [draft(body=body) for body in (half, half, half, "", "y" * 100)]
            problem = problem_of(await create_many(http, items), 403)

            assert problem["error"] == "storage_quota_exceeded"
            assert problem["plan_tier"] == "tiny"
            assert [error["index"] for error in problem["errors"]] == [2, 4]
            assert await holds_nothing(http)
            assert (await create_many(http, items[:2])).status_code == 201

    @pytest.mark.parametrize(
        ("raw", "status"),
        [
            (b"", 400),
            (b"nonsense", 400),
            (b'{"items": [{"title": "a", "body": "b"}', 400),
            (b'{"items": [{"title": "a", "body": "\xff"}]}', 422),
            (b'{"items": ' + b"[" * 20_000, 400),
            (b"[]", 422),
            (b"{}", 422),
            (b'{"items": []}', 422),
            (b'{"items": {}}', 422),
            (b'{"items": [1], "partial": 1}', 422),
            (b'{"items": [1], "more": 1}', 422),
        ],
    )
    async def test_no_bulk_at_all_is_refused(
        self, http: httpx.AsyncClient, raw: bytes, status: int
    ):
        """With a problem document, like everything else."""
        problem_of(await http.post(BULK, content=raw), status)

    async def test_there_is_an_end_to_a_bulk(self, http: httpx.AsyncClient):
        """500 items; one more is one too many."""
        assert fields_of(await create_many(http, drafts(501))) == {"items"}
        assert await holds_nothing(http)
        assert (await create_many(http, drafts(500))).status_code == 201

    async def test_a_reader_may_not(self, daemon: SharedDaemon, tenant: Tenant):
        """Not even an empty one."""
        async with daemon.caller(daemon.new_key(tenant, "viewer").api_key) as viewer:
            for path in ("", "/status", "/tags", "/delete"):
                problem_of(await viewer.post(BULK + path, json={}), 403)


class TestMade:
    """What is made in bulk is like what is made alone."""

    async def test_the_items_are_answered_as_each_alone_would_be(self, http: httpx.AsyncClient):
        """In the order of the request, with every field."""
        space = await new_space(http)
        wishes = [draft(), {**CAMPAIGN, "campaign_space_id": space}, draft(status="published")]
        alone = [await created(http, **wish) for wish in wishes]
        answer = await create_many(http, wishes)
        body = answer.json()

        assert answer.status_code == 201
        assert body["errors"] == []
        own = {"id", "created_at", "updated_at", "published_at", "storage"}
        assert [{k: v for k, v in item.items() if k not in own} for item in body["data"]] == [
            {k: v for k, v in item.items() if k not in own} for item in alone
        ]
        for item in body["data"]:
            read = (await http.get(f"/api/content/{item['id']}")).json()
            assert (read["body"], read["title"]) == (item["body"], item["title"])

    async def test_they_are_counted_listed_and_found(
        self, daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
    ):
        """At once, and when everything is carried."""
        answer = await create_many(http, drafts(130, tags=["bulk"]))
        assert answer.status_code == 201, answer.text
        usage = (await quota(http))["usage"]
        size = sum(len(f"body {n}") for n in range(130))

        assert (usage["total_content_items"], usage["total_storage_bytes"]) == (130, size)
        assert (await titles(http, pageSize=2, sort="title")) == ["item 0", "item 1"]
        await daemon.until_carried(tenant)
        assert (await listed(http, tags="bulk"))["pagination"]["total"] == 130
        assert await titles(http, search='"body 77"') == ["item 77"]

    async def test_they_may_go_into_several_brands(
        self, daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
    ):
        """Each says into which, else the header does."""
        other = await daemon.new_brand(tenant)
        items = [draft(title="ours", brand_id=tenant.brand_id), draft(title="theirs")]
        answer = await http.post(BULK, json={"items": items}, headers={"X-Brand-ID": other})

        assert answer.status_code == 201
        assert await titles(http) == ["ours"]
        assert await titles(http, brand_id=other) == ["theirs"]

    async def test_each_is_told_as_an_event_and_has_a_history(self, http: httpx.AsyncClient):
        """Nothing of what a create does is left out."""
        (item,) = (await create_many(http, [draft()])).json()["data"]
        read = (await http.get(f"/api/content/{item['id']}")).json()

        assert [version["change_type"] for version in read["versions"]] == ["create"]


class TestPartial:
    """With `partial` each item stands for itself."""

    async def test_good_items_are_made_beside_bad_ones(self, http: httpx.AsyncClient):
        """207, the items in their order, and a problem with its index for each other one."""
        items = [
            draft(title="a"),
            {"title": ""},
            draft(title="b", brand_id=NOWHERE),
            draft(title="c"),
        ]
        answer = await create_many(http, items, partial=True)
        body = answer.json()

        assert answer.status_code == 207
        assert [item["title"] for item in body["data"]] == ["a", "c"]
        assert [(e["index"], e["status"]) for e in body["errors"]] == [(1, 422), (2, 404)]
        assert {fault["field"] for fault in body["errors"][0]["errors"]} == {
            "items[1].title",
            "items[1].body",
        }
        assert sorted(await titles(http)) == ["a", "c"]

    async def test_without_errors_it_is_as_good_as_whole(self, http: httpx.AsyncClient):
        """Nothing was refused, so nothing is partial."""
        answer = await create_many(http, drafts(3), partial=True)

        assert answer.status_code == 201
        assert answer.json()["errors"] == []

    async def test_the_query_may_say_so(self, http: httpx.AsyncClient):
        """The same as in the body; where both speak, one of them is enough."""
        items = [draft(title="good"), draft(title="")]
        document = {"items": items, "partial": False}
        answer = await http.post(BULK, params={"partial": "true"}, json=document)

        assert answer.status_code == 207, answer.text
        assert [error["index"] for error in answer.json()["errors"]] == [1]
        assert await titles(http) == ["good"]

    @pytest.mark.parametrize("query", ["partial=perhaps", "partly=true"])
    async def test_a_query_that_says_something_else_is_refused(
        self, http: httpx.AsyncClient, query: str
    ):
        """It would be passed over without a word, and all refused for one."""
        answer = await http.post(f"{BULK}?{query}", json={"items": [draft()]})
        (error,) = problem_of(answer, 422)["errors"]

        assert error["field"] == query.partition("=")[0]
        assert await holds_nothing(http)

    async def test_a_query_makes_it_another_request(self, http: httpx.AsyncClient):
        """Under the same Idempotency-Key that is a mistake, as another body would be."""
        document = {"items": [draft()]}
        headers = {"Idempotency-Key": "once"}
        first = await http.post(BULK, json=document, headers=headers)
        again = await http.post(f"{BULK}?partial=true", json=document, headers=headers)

        assert (first.status_code, again.status_code) == (201, 207)
        (error,) = again.json()["errors"]
        assert error["type"] == "urn:engarde:problem:idempotency_key_reused"

    async def test_with_nothing_but_errors_nothing_is_made(self, http: httpx.AsyncClient):
        """Every item is told why."""
        answer = await create_many(http, [1, 2], partial=True)

        assert answer.status_code == 207
        assert (answer.json()["data"], len(answer.json()["errors"])) == ([], 2)
        assert await holds_nothing(http)

    async def test_what_fits_the_plan_is_made(self, daemon: SharedDaemon):
        """First come, first served; a smaller one may still fit where a larger one did not."""
        async with daemon.caller(daemon.new_key(daemon.new_tenant("tiny")).api_key) as http:
            sizes = [TINY_PLAN_BYTES - 10, 11, 10, 1]
            items = [draft(body="x" * size) for size in sizes]
            body = (await create_many(http, items, partial=True)).json()

            assert [len(item["body"]) for item in body["data"]] == [TINY_PLAN_BYTES - 10, 10]
            assert [(e["index"], e["error"]) for e in body["errors"]] == [
                (1, "storage_quota_exceeded"),
                (3, "storage_quota_exceeded"),
            ]
            assert (await quota(http))["usage"]["total_storage_bytes"] == TINY_PLAN_BYTES


class TestIdempotency:
    """Two bulk requests with one key are one."""

    async def test_the_same_request_is_answered_as_before(self, http: httpx.AsyncClient):
        """Byte for byte, and a header tells it is a repeat."""
        first, again = [await create_many(http, drafts(7), "once") for _ in range(2)]

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.text == again.text
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert (await listed(http))["pagination"]["total"] == 7

    async def test_a_repeat_shows_the_items_as_they_were_made(self, http: httpx.AsyncClient):
        """Changed and deleted since, but not in the answer."""
        first = await create_many(http, drafts(2), "once")
        one, other = first.json()["data"]
        await http.patch(f"/api/content/{one['id']}", json={"title": "new", "body": "new"})
        await http.delete(f"/api/content/{other['id']}")

        assert (await create_many(http, drafts(2), "once")).text == first.text

    @pytest.mark.parametrize("partial", [False, True])
    async def test_another_request_under_the_same_key_makes_nothing(
        self, http: httpx.AsyncClient, *, partial: bool
    ):
        """Neither a longer one nor a shorter one nor a single create."""
        await create_many(http, drafts(3), "once")
        for items in (drafts(2), drafts(3)[::-1]):
            answer = await create_many(http, items, "once", partial=partial)
            errors = answer.json()["errors"]

            assert answer.status_code == (207 if partial else 422)
            assert [error["index"] for error in errors] == list(range(len(items)))
        single = await http.post("/api/content", json=draft(), headers={"Idempotency-Key": "once"})
        problem_of(single, 422)
        assert (await listed(http))["pagination"]["total"] == 3

    async def test_a_refused_bulk_leaves_its_key_free(self, http: httpx.AsyncClient):
        """What was not made may be tried again, mended."""
        problem_of(await create_many(http, [draft(), draft(title="")], "once"), 422)
        answer = await create_many(http, [draft(), draft(title="mended")], "once")

        assert answer.status_code == 201
        assert "idempotent-replayed" not in answer.headers

    async def test_a_partial_repeat_makes_what_was_refused_before(self, daemon: SharedDaemon):
        """When there is room now; what was made is not made again."""
        async with daemon.caller(daemon.new_key(daemon.new_tenant("tiny")).api_key) as http:
            blocker = await created(http, body="x" * (TINY_PLAN_BYTES - 10))
            items = [draft(title="fits", body="y" * 5), draft(title="waits", body="z" * 9)]
            first = await create_many(http, items, "once", partial=True)
            await http.delete(f"/api/content/{blocker['id']}")
            again = await create_many(http, items, "once", partial=True)

            assert (first.status_code, again.status_code) == (207, 201)
            assert again.json()["data"][0] == first.json()["data"][0]
            assert sorted(await titles(http)) == ["fits", "waits"]

    async def test_ten_at_once_make_each_item_once(self, http: httpx.AsyncClient):
        """All get the same answer."""
        answers: list[str] = []

        async def try_it() -> None:
            answers.append((await create_many(http, drafts(20), "once")).text)

        async with anyio.create_task_group() as crowd:
            for _ in range(10):
                crowd.start_soon(try_it)

        assert len(set(answers)) == 1
        assert (await listed(http))["pagination"]["total"] == 20


async def test_bulks_and_single_creates_do_not_get_into_each_others_way(http: httpx.AsyncClient):
    """Each is answered for itself, whatever fails beside it."""
    statuses: dict[str, list[int]] = {"good": [], "bad": [], "single": []}

    async def bulk(name: str, items: list[Any]) -> None:
        statuses[name].append((await create_many(http, items)).status_code)

    async def single() -> None:
        statuses["single"].append((await http.post("/api/content", json=draft())).status_code)

    async with anyio.create_task_group() as crowd:
        for _ in range(8):
            crowd.start_soon(bulk, "good", drafts(10))
            crowd.start_soon(bulk, "bad", [*drafts(9), draft(status="scheduled")])
            crowd.start_soon(single)

    assert statuses == {"good": [201] * 8, "bad": [422] * 8, "single": [201] * 8}
    assert (await listed(http))["pagination"]["total"] == 88


async def test_bodies_come_back_byte_for_byte(http: httpx.AsyncClient):
    """Whatever is in them."""
    bodies = ["", "ü" * 5000, "🎈\n\t\r", '{"json": [[[[]]]]}' * 50, "\\u0000 is no NUL"]
    answer = await create_many(http, [draft(body=body) for body in bodies])

    assert answer.status_code == 201, answer.text
    for item, body in zip(answer.json()["data"], bodies, strict=True):
        read = (await http.get(f"/api/content/{item['id']}")).json()["body"]
        assert hashlib.sha256(read.encode()).digest() == hashlib.sha256(body.encode()).digest()
