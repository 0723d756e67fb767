"""Status and schedule: what may follow what, and publishing at its time."""

from datetime import UTC, datetime, timedelta, timezone

import anyio
import httpx
import pytest

from tests.acceptance.content import created, fields_of, problem_of
from tests.support.patience import PATIENCE_S

ILLEGAL = [("published", "scheduled"), ("archived", "scheduled")]
LEGAL = [
    ("draft", "scheduled"),
    ("draft", "published"),
    ("draft", "archived"),
    ("scheduled", "draft"),
    ("scheduled", "published"),
    ("scheduled", "archived"),
    ("published", "draft"),
    ("published", "archived"),
    ("archived", "draft"),
    ("archived", "published"),
]


def in_seconds(seconds: float) -> str:
    """A moment, said in a zone that is not UTC."""
    zone = timezone(timedelta(hours=5, minutes=30))
    return (datetime.now(UTC) + timedelta(seconds=seconds)).astimezone(zone).isoformat()


@pytest.mark.parametrize(("present", "wanted"), ILLEGAL)
async def test_a_status_that_cannot_follow_is_refused(
    http: httpx.AsyncClient, present: str, wanted: str
):
    """The answer says what could follow."""
    item = await created(http, status=present, scheduled_at=in_seconds(3600))

    answer = await http.patch(f"/api/content/{item['id']}", json={"status": wanted})

    problem = problem_of(answer, 409)
    assert (problem["present_status"], wanted in problem["allowed"]) == (present, False)


@pytest.mark.parametrize(("present", "wanted"), LEGAL)
async def test_a_status_that_can_follow_follows(http: httpx.AsyncClient, present: str, wanted: str):
    """One version on."""
    item = await created(http, status=present, scheduled_at=in_seconds(3600))

    answer = await http.patch(f"/api/content/{item['id']}", json={"status": wanted})

    assert (answer.json()["status"], answer.json()["version"]) == (wanted, 2)


async def test_a_schedule_needs_a_moment(http: httpx.AsyncClient):
    """At creation and later."""
    made = await http.post("/api/content", json={"title": "t", "body": "b", "status": "scheduled"})
    item = await created(http)
    changed = await http.patch(f"/api/content/{item['id']}", json={"status": "scheduled"})

    assert [fields_of(made), fields_of(changed)] == [{"scheduled_at"}, {"scheduled_at"}]


@pytest.mark.parametrize("seconds", [-60, 0.5])
async def test_what_is_due_is_published_once(http: httpx.AsyncClient, seconds: float):
    """Whatever the zone of its moment, and also when the moment has long passed."""
    item = await created(http, status="scheduled", scheduled_at=in_seconds(seconds))
    with anyio.fail_after(PATIENCE_S):
        while (now := (await http.get(f"/api/content/{item['id']}")).json())["version"] == 1:
            await anyio.sleep(0.05)

    changes = [version["change_type"] for version in now["versions"]]
    assert (now["status"], changes) == ("published", ["create", "publish"])
    assert now["published_at"] >= now["created_at"]
