"""Webhooks are set up by administrators, called with a signature, and called again until they answer."""

from typing import Any

import anyio
import httpx
import pytest

from tests.acceptance.content import created, fields_of, problem_of
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.following import follow
from tests.support.oracle import eventually
from tests.support.receiver import Reaction, Receiver

NOWHERE = "00000000-0000-7000-8000-000000000000"


async def set_up(http: httpx.AsyncClient, receiver: Receiver, **wish: Any) -> dict[str, Any]:
    """A webhook that calls the receiver."""
    answer = await http.post("/api/webhooks", json={"url": receiver.url, **wish})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def deliveries(http: httpx.AsyncClient, webhook: dict[str, Any], **params: Any) -> Any:
    """The delivery log of a webhook, the newest first."""
    answer = await http.get(f"/api/webhooks/{webhook['id']}/deliveries", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def settled(http: httpx.AsyncClient, webhook: dict[str, Any], status: str) -> dict[str, Any]:
    """The newest delivery, once it stands like this."""
    newest: dict[str, Any] = {}

    async def stands() -> bool:
        nonlocal newest
        log = await deliveries(http, webhook)
        newest = log[0] if log else {}
        return newest.get("status") == status

    await eventually(stands)
    return newest


async def test_an_event_is_sent_with_a_signature(admin: httpx.AsyncClient, receiver: Receiver):
    """What comes is what the stream tells, and the secret of the first answer proves it."""
    webhook = await set_up(admin, receiver)
    item = await created(admin)

    (call,) = await receiver.arrived(1)

    assert call.is_signed_by(webhook["secret"])
    assert call.document["type"] == "content.created"
    assert call.document["data"]["id"] == item["id"]
    assert call.id == call.document["id"]
    assert call.headers["content-type"] == "application/json"
    log = await settled(admin, webhook, "delivered")
    assert (log["event_id"], log["attempts"], log["response_status"]) == (call.id, 1, 204)


async def test_a_failed_call_is_made_again_under_the_same_id(
    admin: httpx.AsyncClient, receiver: Receiver
):
    """Whether it was answered badly or not at all."""
    receiver.next_reactions.extend(
        [Reaction(status=500, body=b"Sorry\x00!"), Reaction(hangs=True), Reaction(status=302)]
    )
    webhook = await set_up(admin, receiver)
    await created(admin)

    calls = await receiver.arrived(4)
    done = await settled(admin, webhook, "delivered")

    assert len({call.id for call in calls}) == 1
    assert all(call.is_signed_by(webhook["secret"]) for call in calls)
    assert done["attempts"] == 4


async def test_a_delivery_that_never_succeeds_is_given_up(
    admin: httpx.AsyncClient, receiver: Receiver
):
    """The log says what was answered last."""
    receiver.usual_reaction = Reaction(status=500, body=b"Sorry\x00! " + b"x" * 10_000)
    webhook = await set_up(admin, receiver)
    await created(admin)

    lost = await settled(admin, webhook, "failed")

    assert lost["attempts"] == len(receiver.calls) == 4
    assert lost["response_status"] == 500
    assert lost["response_excerpt"].startswith("Sorry\ufffd! xxx")
    assert len(lost["response_excerpt"]) == 1000
    assert lost["next_attempt_at"] is None
    shown = (await admin.get(f"/api/webhooks/{webhook['id']}")).json()
    assert shown["enabled"]
    assert shown["failing_since"] is not None


async def test_a_delivery_can_be_begun_anew(admin: httpx.AsyncClient, receiver: Receiver):
    """By an administrator, once the address was mended."""
    receiver.usual_reaction = Reaction(status=500)
    webhook = await set_up(admin, receiver)
    await created(admin)
    lost = await settled(admin, webhook, "failed")
    receiver.usual_reaction = Reaction()

    again = await admin.post(f"/api/webhooks/{webhook['id']}/deliveries/{lost['id']}/retry")

    assert again.status_code == 202, again.text
    assert again.json()["id"] == lost["id"]
    assert (await settled(admin, webhook, "delivered"))["event_id"] == lost["event_id"]


async def test_an_address_that_is_gone_is_switched_off(
    admin: httpx.AsyncClient, receiver: Receiver
):
    """410 says so; what waits is given up, and an event tells of it."""
    receiver.usual_reaction = Reaction(status=410)
    webhook = await set_up(admin, receiver, types=["content.*"])
    async with anyio.create_task_group() as writers:
        for _ in range(5):
            writers.start_soon(created, admin)

    await settled(admin, webhook, "failed")

    shown = (await admin.get(f"/api/webhooks/{webhook['id']}")).json()
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "The address answered 410 Gone.")
    assert {one["status"] for one in await deliveries(admin, webhook)} == {"failed"}
    async with follow(admin, after=0, types="webhook.*") as stream:
        assert (await stream.next()).document["data"]["id"] == webhook["id"]


async def test_a_test_can_be_sent(admin: httpx.AsyncClient, receiver: Receiver):
    """To one webhook alone, whatever it wants to be told."""
    webhook = await set_up(admin, receiver, types=["quota.*"])

    sent = await admin.post(f"/api/webhooks/{webhook['id']}/test")
    (call,) = await receiver.arrived(1)

    assert sent.status_code == 202
    assert sent.json()["event_id"] == call.id
    assert call.is_signed_by(webhook["secret"])
    assert call.document["type"] == "webhook.test"
    assert call.document["data"] == {"id": webhook["id"]}


async def test_only_wanted_events_are_sent(admin: httpx.AsyncClient, receiver: Receiver):
    """A webhook that changes its mind is told what it wants from then on."""
    webhook = await set_up(admin, receiver, types=["content.deleted"])
    item = await created(admin)
    await admin.delete(f"/api/content/{item['id']}")
    await receiver.arrived(1)

    changed = await admin.patch(f"/api/webhooks/{webhook['id']}", json={"types": ["*"]})
    await created(admin)
    calls = await receiver.arrived(2)

    assert changed.json()["types"] == ["*"]
    assert [call.document["type"] for call in calls] == ["content.deleted", "content.created"]


async def test_after_a_rotation_both_secrets_prove(admin: httpx.AsyncClient, receiver: Receiver):
    """For a day, so that receivers can change over one by one."""
    webhook = await set_up(admin, receiver)

    renewed = await admin.post(f"/api/webhooks/{webhook['id']}/rotate-secret")
    await created(admin)
    (call,) = await receiver.arrived(1)

    assert renewed.status_code == 200, renewed.text
    assert renewed.json()["secret"] != webhook["secret"]
    assert call.is_signed_by(renewed.json()["secret"])
    assert call.is_signed_by(webhook["secret"])


async def test_switched_off_it_is_told_nothing(admin: httpx.AsyncClient, receiver: Receiver):
    """Switched on again, it is told what happens from then on."""
    webhook = await set_up(admin, receiver)
    path = f"/api/webhooks/{webhook['id']}"
    await admin.patch(path, json={"enabled": False})
    await created(admin, title="Unheard")
    problem_of(await admin.post(f"{path}/test"), 404)

    await admin.patch(path, json={"enabled": True})
    await created(admin, title="Heard")
    (call,) = await receiver.arrived(1)

    assert call.document["data"]["title"] == "Heard"


async def test_a_secret_is_shown_once(admin: httpx.AsyncClient, receiver: Receiver):
    """Only by the request that made it, which may come again under its key."""
    promise = {"Idempotency-Key": "make-it"}
    wish = {"url": receiver.url, "types": ["content.*"], "description": "Ours"}
    made = await admin.post("/api/webhooks", json=wish, headers=promise)
    again = await admin.post("/api/webhooks", json=wish, headers=promise)
    other = await admin.post("/api/webhooks", json={"url": receiver.url}, headers=promise)
    shown = await admin.get(f"/api/webhooks/{made.json()['id']}")

    assert made.headers["Location"] == f"/api/webhooks/{made.json()['id']}"
    assert again.json() == made.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 422
    assert "secret" not in shown.json()
    assert (await admin.get("/api/webhooks")).json()["data"] == [shown.json()]


async def test_a_forgotten_webhook_is_not_there(admin: httpx.AsyncClient, receiver: Receiver):
    """Nothing of it is left, and nothing is sent any more."""
    webhook = await set_up(admin, receiver)
    path = f"/api/webhooks/{webhook['id']}"

    forgotten = await admin.delete(path)

    assert forgotten.status_code == 204
    problem_of(await admin.delete(path), 404)
    problem_of(await admin.get(f"{path}/deliveries"), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/rotate-secret"),
        ("GET", "/deliveries"),
        ("POST", "/deliveries/1/retry"),
    ],
)
async def test_another_tenants_webhook_is_not_there(
    daemon: SharedDaemon, admin: httpx.AsyncClient, receiver: Receiver, method: str, path: str
):
    """On every route it answers like one that does not exist."""
    webhook = await set_up(admin, receiver)
    sent: Any = {"json": {}} if method == "PATCH" else {}
    async with daemon.caller(daemon.new_key(daemon.new_tenant(), "admin").api_key) as stranger:
        theirs = await stranger.request(method, f"/api/webhooks/{webhook['id']}{path}", **sent)
        nowhere = await stranger.request(method, f"/api/webhooks/{NOWHERE}{path}", **sent)

    assert problem_of(theirs, 404) == problem_of(nowhere, 404)
    assert (await admin.get(f"/api/webhooks/{webhook['id']}")).status_code == 200


async def test_webhooks_are_for_administrators(http: httpx.AsyncClient, receiver: Receiver):
    """An editor may not have the daemon call anyone."""
    problem_of(await http.post("/api/webhooks", json={"url": receiver.url}), 403)
    problem_of(await http.get("/api/webhooks"), 403)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://user:secret@example.com/"}, "url"),
        ({"url": "https://example.com/\u00fc"}, "url"),
        ({"url": "https://2130706433/"}, "url"),
        ({"url": "https://example.com/" + "x" * 2100}, "url"),
        ({"url": "https://example.com/", "types": []}, "types"),
        ({"url": "https://example.com/", "types": ["contents.*"]}, "types"),
        ({"url": "https://example.com/", "secret": "mine"}, "secret"),
    ],
)
async def test_a_wrong_wish_is_refused(admin: httpx.AsyncClient, wish: dict[str, Any], field: str):
    """With the field named."""
    assert fields_of(await admin.post("/api/webhooks", json=wish)) == {field}


async def test_there_is_a_limit_to_webhooks(admin: httpx.AsyncClient, receiver: Receiver):
    """One more than the limit is refused."""
    for _ in range(20):
        await set_up(admin, receiver)

    refused = await admin.post("/api/webhooks", json={"url": receiver.url})

    assert "20 webhooks" in problem_of(refused, 403)["detail"]


async def test_the_log_is_read_page_by_page(admin: httpx.AsyncClient, receiver: Receiver):
    """The newest first, by cursor, also by status."""
    webhook = await set_up(admin, receiver)
    for _ in range(5):
        await created(admin)
    await receiver.arrived(5)
    path = f"/api/webhooks/{webhook['id']}/deliveries"

    first = (await admin.get(path, params={"pageSize": 3})).json()
    cursor = first["pagination"]["nextCursor"]
    rest = (await admin.get(path, params={"pageSize": 3, "cursor": cursor})).json()

    numbers = [int(one["id"]) for one in first["data"] + rest["data"]]
    assert numbers == [5, 4, 3, 2, 1]
    assert rest["pagination"]["nextCursor"] is None
    assert await deliveries(admin, webhook, status="failed") == []
    assert fields_of(await admin.get(path, params={"cursor": "x"})) == {"cursor"}


async def test_a_level_of_the_plan_is_told_once(daemon: SharedDaemon, receiver: Receiver):
    """When it is crossed upwards; and again only after it was left."""
    tenant: Tenant = daemon.new_tenant("tiny")
    async with daemon.caller(daemon.new_key(tenant, "admin").api_key) as http:
        await set_up(http, receiver, types=["quota.*"])
        items = [await created(http, body="x" * 1500) for _ in range(6)]  # 9,000 of 10,737 bytes
        await created(http, body="x" * 500)
        calls = await receiver.arrived(2)
        await http.delete(f"/api/content/{items[0]['id']}")
        await created(http, body="x" * 1500)
        calls = await receiver.arrived(3)

    documents = sorted((call.document for call in calls), key=lambda one: one["timestamp"])
    types = [one["type"] for one in documents]
    assert types == ["quota.warning", "quota.critical", "quota.critical"]
    assert documents[0]["brand_id"] is None
    assert documents[1]["data"]["warning_level"] == "critical"
    assert documents[1]["data"]["plan_tier"] == "tiny"


async def test_the_metrics_count_what_waits(
    daemon: SharedDaemon, admin: httpx.AsyncClient, receiver: Receiver
):
    """Without a word about whose it is."""
    webhook = await set_up(admin, receiver)
    await created(admin)
    await settled(admin, webhook, "delivered")

    async with daemon.caller(None) as scraper:
        metrics = (await scraper.get("/metrics")).text

    assert 'engarde_webhook_attempts_total{outcome="delivered"}' in metrics
    assert "engarde_event_listeners " in metrics
    assert "engarde_webhook_oldest_age_seconds " in metrics
