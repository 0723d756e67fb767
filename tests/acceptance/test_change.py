"""`PATCH /api/content/{id}`, and the preconditions that keep two editors apart."""

from typing import Any

import anyio
import httpx
import pytest

from tests.acceptance.content import created, fields_of, new_space, problem_of, quota
from tests.acceptance.test_create import CAMPAIGN
from tests.support.daemon import TINY_PLAN_BYTES, SharedDaemon


async def change(
    http: httpx.AsyncClient, item: dict[str, Any], wish: dict[str, Any], **headers: str
) -> httpx.Response:
    """Ask for a change of an item."""
    return await http.patch(f"/api/content/{item['id']}", json=wish, headers=headers)


async def test_the_example_of_the_architecture(http: httpx.AsyncClient):
    """Four fields change, the version counts on, and everything else stays."""
    made = await created(http, **CAMPAIGN)
    wish = {
        "title": "Updated Summer Campaign",
        "body": "<updated_content>",
        "status": "published",
        "tags": ["summer", "launch", "product", "2026"],
    }
    item = (await change(http, made, wish)).json()

    assert item["version"] == 2
    assert item["updated_at"] > made["updated_at"]
    kept = made.keys() - wish.keys() - {"version", "updated_at", "published_at", "storage"}
    assert {name: item[name] for name in wish} == wish
    assert {name: item[name] for name in kept} == {name: made[name] for name in kept}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Another"),
        ("body", "Another body"),
        ("type", "article"),
        ("status", "scheduled"),
        ("platforms", ["x"]),
        ("tags", ["a", "b"]),
        ("hashtags", ["#a"]),
        ("mentions", ["@a"]),
        ("metadata", {"a": {"b": 1}}),
        ("scheduled_at", "2030-01-01T00:00:00Z"),
        ("scheduled_at", None),
    ],
)
async def test_each_field_changes_alone(http: httpx.AsyncClient, field: str, value: object):
    """And is still changed when it is read."""
    made = await created(http, scheduled_at="2026-06-01T10:00:00Z")
    answer = (await change(http, made, {field: value})).json()
    stored = (await http.get(f"/api/content/{made['id']}")).json()

    assert answer[field] == stored[field] == value
    untouched = made.keys() - {field, "version", "updated_at", "storage"}
    assert {name: stored[name] for name in untouched} == {name: made[name] for name in untouched}


async def test_the_campaign_can_be_changed(http: httpx.AsyncClient):
    """To another space, and to none."""
    first, second = await new_space(http), await new_space(http)
    made = await created(http, campaign_space_id=first)
    answers = [await change(http, made, {"campaign_space_id": space}) for space in (second, None)]

    assert made["campaign_space_id"] == first
    assert [answer.json()["campaign_space_id"] for answer in answers] == [second, None]


async def test_publishing_is_dated(http: httpx.AsyncClient):
    """`published_at` is the moment of the change that published it."""
    made = await created(http)
    item = (await change(http, made, {"status": "published"})).json()

    assert made["published_at"] is None
    assert item["published_at"] == item["updated_at"]


async def test_a_change_of_the_title_keeps_the_body(http: httpx.AsyncClient):
    """The answer shows it, and its size."""
    made = await created(http, body="the body")
    item = (await change(http, made, {"title": "Another"})).json()

    assert item["body"] == "the body"
    assert item["storage"]["size_bytes"] == len("the body")


async def test_each_version_has_a_row_of_its_own_in_zerodb(http: httpx.AsyncClient):
    """Nothing is overwritten in place."""
    made = await created(http)
    item = (await change(http, made, {"title": "Another"})).json()

    assert item["storage"]["zerodb_id"] != made["storage"]["zerodb_id"]


async def test_the_answer_carries_the_new_etag(http: httpx.AsyncClient):
    """With which the next change can be guarded."""
    made = await created(http)
    first = await change(http, made, {"title": "2"}, **{"If-Match": '"1"'})
    second = await change(http, made, {"title": "3"}, **{"If-Match": first.headers["etag"]})

    assert [first.headers["etag"], second.headers["etag"]] == ['"2"', '"3"']


async def test_a_stale_version_is_refused_with_the_present_one(http: httpx.AsyncClient):
    """412, and the change is not made."""
    made = await created(http)
    await change(http, made, {"title": "first"})
    answer = await change(http, made, {"title": "second"}, **{"If-Match": '"1"'})

    assert problem_of(answer, 412)["current_version"] == 2
    assert (await http.get(f"/api/content/{made['id']}")).json()["title"] == "first"


async def test_a_star_matches_any_version(http: httpx.AsyncClient):
    """RFC 9110: it asks only that there is one."""
    made = await created(http)

    assert (await change(http, made, {"title": "x"}, **{"If-Match": "*"})).status_code == 200


@pytest.mark.parametrize("tag", ["1", '"one"', 'W/"1"', '"-1"', '"1", "2"', "", '"' * 900])
async def test_an_if_match_that_is_no_etag_of_ours_is_named(http: httpx.AsyncClient, tag: str):
    """422 rather than a change that was meant to be guarded."""
    made = await created(http)

    assert fields_of(await change(http, made, {"title": "x"}, **{"If-Match": tag})) == {"If-Match"}
    assert (await http.get(f"/api/content/{made['id']}")).json()["version"] == 1


async def test_of_many_guarded_changes_one_wins(http: httpx.AsyncClient):
    """All others learn that they were late."""
    made = await created(http)
    statuses: list[int] = []

    async def try_it(number: int) -> None:
        answer = await change(http, made, {"title": str(number)}, **{"If-Match": '"1"'})
        statuses.append(answer.status_code)

    async with anyio.create_task_group() as editors:
        for number in range(20):
            editors.start_soon(try_it, number)

    assert sorted(statuses) == [200] + [412] * 19


async def test_many_unguarded_changes_are_all_made(http: httpx.AsyncClient):
    """Each becomes a version of its own, whatever the order."""
    made = await created(http)
    versions: list[int] = []

    async def do_it(number: int) -> None:
        versions.append((await change(http, made, {"title": str(number)})).json()["version"])

    async with anyio.create_task_group() as editors:
        for number in range(20):
            editors.start_soon(do_it, number)

    assert sorted(versions) == list(range(2, 22))


async def test_a_change_counts_by_what_the_body_grew(http: httpx.AsyncClient):
    """And shrinking gives room back."""
    made = await created(http, body="x" * 100)
    await change(http, made, {"body": "x" * 250})
    grown = (await quota(http))["usage"]["total_storage_bytes"]
    await change(http, made, {"body": "é"})
    shrunk = (await quota(http))["usage"]["total_storage_bytes"]

    assert (grown, shrunk) == (250, 2)


async def test_a_change_that_the_plan_has_no_room_for_is_refused(daemon: SharedDaemon):
    """The item stays as it was."""
    async with daemon.caller(daemon.new_key(daemon.new_tenant("tiny")).api_key) as http:
        made = await created(http, body="small")
        answer = await change(http, made, {"title": "big", "body": "x" * (TINY_PLAN_BYTES + 1)})

        assert problem_of(answer, 403)["error"] == "storage_quota_exceeded"
        stored = (await http.get(f"/api/content/{made['id']}")).json()
        assert (stored["title"], stored["body"], stored["version"]) == ("A title", "small", 1)


async def test_all_wrong_fields_of_a_change_are_named(http: httpx.AsyncClient):
    """And nothing of it is made."""
    made = await created(http)
    wish = {"title": "", "tags": [5], "status": "gone", "scheduled_at": 7, "brand_id": "x"}

    assert fields_of(await change(http, made, wish)) == {
        "title", "tags[0]", "status", "scheduled_at", "brand_id"
    }  # fmt: skip
    assert (await http.get(f"/api/content/{made['id']}")).json()["version"] == 1
