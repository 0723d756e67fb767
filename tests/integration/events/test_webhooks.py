"""Deliveries are made once for each event and webhook, leased, fenced, and given up in time."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.events import PostgresEventLog, PostgresEventReader
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.adapters.postgres.webhooks import (
    PostgresPostOffice,
    PostgresWebhookBook,
    PostgresWebhookLibrary,
)
from engarde_daemon.domain.events import EventDraft, EventType
from engarde_daemon.ports.webhooks import (
    Added,
    Delivery,
    DeliveryState,
    Matched,
    Outcome,
    Post,
    WebhookKey,
    Wish,
)
from sql import statements
from tests.integration.events.test_log import events_of
from tests.support.database import LARGE, Tenant, add_tenant

DAY_S = 86_400.0
PATIENCE_S = 5 * DAY_S
LEASE_S = 30.0
KEY_ID = b"the key."
SECRET, NEW_SECRET = b"\1the key.old", b"\1the key.new"
EVERYTHING = 1_000

_SQL = statements("webhooks")


class Place(msgspec.Struct, frozen=True):
    """Everything of one tenant's webhooks."""

    tenant: Tenant
    events: PostgresEventLog
    book: PostgresWebhookBook
    office: PostgresPostOffice
    library: PostgresWebhookLibrary
    sql: asyncpg.Connection

    async def happens(self, count: int = 1, type_: EventType = EventType.CONTENT_CREATED) -> None:
        """Write events down."""
        draft = EventDraft(tenant_id=self.tenant.id, type=type_, data={})
        await self.events.append([draft] * count)

    async def webhook(self, *types: str) -> WebhookKey:
        """Set a webhook up."""
        key = WebhookKey(self.tenant.id, str(uuid.uuid4()))
        wish = Wish(url="https://example.com/", types=list(types) or ["*"])
        added = await self.book.add(key, wish, secret=SECRET, fingerprint=None, most=10)
        assert added is Added.ADDED
        return key

    async def match(self) -> Matched:
        """Make deliveries of everything."""
        return await self.book.match(None, most=EVERYTHING)

    async def claim(self, *, sound_only: bool = False, most: int = 10) -> Post | None:
        """Lease a webhook that is due."""
        return await self.office.claim(lease_s=LEASE_S, most=most, sound_only=sound_only)

    async def settle(self, post: Post, *outcomes: Outcome, gone: bool = False) -> bool:
        """Write down what came of a post."""
        return await self.office.settle(post, outcomes, gone=gone, patience_s=PATIENCE_S)

    async def settle_later(self, post: Post, outcomes: Sequence[Outcome], later: timedelta) -> bool:
        """The same, some time from now."""
        settled: bool = await self.sql.fetchval(
            _SQL["settle"],
            post.key.tenant_id,
            post.key.webhook_id,
            post.token,
            msgspec.json.encode(outcomes).decode(),
            False,
            PATIENCE_S,
            datetime.now(UTC) + later,
        )
        return settled

    async def log(self, key: WebhookKey) -> list[Delivery]:
        """The delivery log, the oldest first."""
        return (await self.library.deliveries(key, state=None, before=None, size=EVERYTHING))[::-1]

    async def passes(self, seconds: float) -> None:
        """Let everything that is to happen later happen that much sooner."""
        for table, column in (("webhooks", "due_at"), ("webhooks", "leased_until"),
                              ("webhook_deliveries", "due_at")):  # fmt: skip
            await self.sql.execute(
                f"update engarde.{table} set {column} = {column} - make_interval(secs => $1)",  # noqa: S608 - our own names
                seconds,
            )


@pytest.fixture
def place(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Place:
    """A tenant without webhooks."""
    return Place(
        tenant,
        PostgresEventLog(sessions.writers),
        PostgresWebhookBook(sessions.writers),
        PostgresPostOffice(sessions.writers, lambda: [KEY_ID]),
        PostgresWebhookLibrary(sessions.readers),
        superuser,
    )


def delivered(number: int) -> Outcome:
    """A letter that was taken."""
    return Outcome(number=number, state=DeliveryState.DELIVERED, response_status=200, took_ms=1)


def refused(number: int, retry_s: float = 5.0) -> Outcome:
    """A letter that will be tried again."""
    return Outcome(
        number=number,
        state=DeliveryState.PENDING,
        retry_s=retry_s,
        response_status=500,
        took_ms=1,
    )


async def test_each_event_is_delivered_once_to_each_webhook(place: Place):
    """Also when two daemons look at the same time."""
    keys = [await place.webhook() for _ in range(3)]
    await place.happens(20)

    async with anyio.create_task_group() as daemons:
        for _ in range(3):
            daemons.start_soon(place.match)

    for key in keys:
        log = await place.log(key)
        assert [one.number for one in log] == list(range(1, 21))
        assert len({one.event_id for one in log}) == 20


async def test_a_webhook_is_told_what_happens_after_it_was_set_up(place: Place):
    """The past is not repeated."""
    await place.happens(3)
    key = await place.webhook()
    await place.happens(2)

    matched = await place.match()

    assert (matched.behind, matched.made) == (1, 2)
    assert len(await place.log(key)) == 2


async def test_only_wanted_types_become_deliveries(place: Place):
    """By name, by area, or all."""
    by_name = await place.webhook("content.created")
    by_area = await place.webhook("quota.*", "import.failed")
    await place.happens(1, EventType.CONTENT_CREATED)
    await place.happens(1, EventType.QUOTA_WARNING)
    await place.happens(1, EventType.IMPORT_COMPLETED)

    await place.match()

    assert [one.type for one in await place.log(by_name)] == ["content.created"]
    assert [one.type for one in await place.log(by_area)] == ["quota.warning"]


async def test_a_long_past_is_worked_off_in_pieces(place: Place):
    """And whoever asks learns that there is more."""
    key = await place.webhook()
    await place.happens(5)

    first = await place.book.match([place.tenant.id], most=3)
    second = await place.book.match([place.tenant.id], most=3)
    third = await place.book.match([place.tenant.id], most=3)

    assert first == Matched(1, 1, 3)
    assert second == Matched(1, 0, 2)
    assert third == Matched(0, 0, 0)
    assert len(await place.log(key)) == 5


async def test_only_named_tenants_are_looked_at(place: Place):
    """Which is how a daemon looks after a write of its own."""
    await place.webhook()
    await place.happens()
    other = await add_tenant(place.sql, LARGE)

    assert (await place.book.match([other.id], most=10)).behind == 0
    assert (await place.book.match([place.tenant.id], most=10)).behind == 1


async def test_a_webhook_is_leased_to_one_at_a_time(place: Place):
    """Until the lease is given back or has run out."""
    await place.webhook()
    await place.happens(3)
    await place.match()

    first = await place.claim(most=2)
    assert first is not None
    assert [letter.number for letter in first.letters] == [1, 2]
    assert await place.claim() is None

    await place.settle(first, delivered(1), delivered(2))
    second = await place.claim()
    assert second is not None
    assert [letter.number for letter in second.letters] == [3]


async def test_what_a_dying_daemon_carried_is_carried_again(place: Place):
    """And the dead one, should it come back, settles nothing."""
    key = await place.webhook()
    await place.happens()
    await place.match()
    dying = await place.claim()
    assert dying is not None

    await place.passes(LEASE_S)
    heir = await place.claim()

    assert heir is not None
    assert [letter.event_id for letter in heir.letters] == [dying.letters[0].event_id]
    assert heir.letters[0].attempt == 2
    assert not await place.settle(dying, refused(1))
    assert await place.settle(heir, delivered(1))
    assert [one.state for one in await place.log(key)] == [DeliveryState.DELIVERED]


async def test_a_refused_letter_is_due_again_after_its_delay(place: Place):
    """And not before."""
    key = await place.webhook()
    await place.happens()
    await place.match()
    post = await place.claim()
    assert post is not None
    await place.settle(post, refused(1, retry_s=60))

    assert await place.claim() is None
    await place.passes(61)
    again = await place.claim()

    assert again is not None
    assert again.failing
    assert again.letters[0].attempt == 2
    (logged,) = await place.log(key)
    assert (logged.response_status, logged.attempts) == (500, 2)


async def test_a_webhook_that_fails_is_tried_with_one_letter(place: Place):
    """And answers for all others by that."""
    await place.webhook()
    await place.happens(5)
    await place.match()
    post = await place.claim()
    assert post is not None
    await place.settle(post, *(refused(n, retry_s=1) for n in range(1, 6)))

    await place.passes(2)
    trial = await place.claim()
    assert trial is not None
    assert len(trial.letters) == 1
    await place.settle(trial, delivered(1))
    rest = await place.claim()

    assert rest is not None
    assert len(rest.letters) == 4


async def test_sound_webhooks_come_first(place: Place):
    """Those that do not answer can be left out altogether."""
    failing = await place.webhook()
    await place.happens()
    await place.match()
    post = await place.claim()
    assert post is not None
    await place.settle(post, refused(1, retry_s=0))
    sound = await place.webhook()
    await place.happens()
    await place.match()

    first = await place.claim(sound_only=True)
    second = await place.claim(sound_only=True)
    third = await place.claim()

    assert first is not None
    assert first.key == sound
    assert second is None
    assert third is not None
    assert third.key == failing


async def test_after_days_of_failure_it_is_switched_off(place: Place, sessions: Sessions):
    """What waits is given up, and an event tells of it."""
    key = await place.webhook("content.*")
    await place.happens(2)
    await place.match()
    post = await place.claim(most=1)
    assert post is not None
    await place.settle(post, refused(1, retry_s=0))
    last = await place.claim()
    assert last is not None

    still = await place.library.webhook(key)
    await place.settle_later(last, [refused(1)], timedelta(days=5, minutes=1))

    off = await place.library.webhook(key)
    assert still is not None
    assert still.enabled
    assert off is not None
    assert not off.enabled
    assert off.disabled_reason is not None
    assert off.disabled_reason.startswith("No delivery succeeded since ")
    assert {one.state for one in await place.log(key)} == {DeliveryState.FAILED}
    told = await events_of(PostgresEventReader(sessions.readers), place.tenant)
    assert told[-1].event.type == "webhook.disabled"
    assert await place.claim() is None


async def test_one_success_ends_a_time_of_failure(place: Place):
    """However long it was."""
    key = await place.webhook()
    await place.happens(2)
    await place.match()
    post = await place.claim()
    assert post is not None
    await place.settle(post, refused(1, retry_s=0), refused(2, retry_s=0))
    again = await place.claim()
    assert again is not None

    await place.settle_later(again, [delivered(1)], timedelta(days=30))

    webhook = await place.library.webhook(key)
    assert webhook is not None
    assert webhook.enabled
    assert webhook.failing_since is None


async def test_a_webhook_forgotten_on_the_way_is_left_alone(place: Place):
    """Settling what belongs to nothing any more changes nothing."""
    key = await place.webhook()
    await place.happens()
    await place.match()
    post = await place.claim()
    assert post is not None

    await place.book.remove(key)

    assert not await place.settle(post, delivered(1))
    assert await place.log(key) == []


async def test_an_event_past_its_retention_is_not_made_up(place: Place):
    """Its letter has nothing to say."""
    await place.webhook()
    await place.happens()
    await place.match()
    await place.events.forget(older_than_days=-1, most=10)

    post = await place.claim()

    assert post is not None
    assert post.letters[0].event is None


async def test_settled_deliveries_are_forgotten_and_waiting_ones_are_not(place: Place):
    """With the events, by age."""
    key = await place.webhook()
    await place.happens(2)
    await place.match()
    post = await place.claim(most=1)
    assert post is not None
    await place.settle(post, delivered(1))

    await place.events.forget(older_than_days=-1, most=10)

    assert [one.number for one in await place.log(key)] == [2]


async def test_the_old_secret_is_good_for_a_while(place: Place):
    """Then the new one is alone."""
    key = await place.webhook()
    await place.book.renew_secret(key, NEW_SECRET, overlap_s=60)
    await place.happens()
    await place.match()
    post = await place.claim()
    assert post is not None
    await place.settle(post, refused(1, retry_s=0))
    await place.sql.execute("update engarde.webhooks set old_secret_until = now()")
    later = await place.claim()

    assert post.secrets == (NEW_SECRET, SECRET)
    assert later is not None
    assert later.secrets == (NEW_SECRET,)


async def test_without_its_key_a_webhook_is_left_to_others(place: Place, sessions: Sessions):
    """No attempt is spent on it, and the backlog says so."""
    await place.webhook()
    await place.happens()
    await place.match()
    keyless = PostgresPostOffice(sessions.writers, lambda: [b"another."])

    assert await keyless.claim(lease_s=LEASE_S, most=10, sound_only=False) is None
    assert (await keyless.backlog()).locked == 1
    post = await place.claim()
    assert post is not None
    assert post.letters[0].attempt == 1


async def test_the_backlog_counts_what_waits(place: Place):
    """Over all tenants."""
    await place.webhook()
    await place.happens(3)
    await place.match()
    post = await place.claim()
    assert post is not None
    await place.settle(post, refused(1), refused(2), delivered(3))

    backlog: Any = await place.office.backlog()

    assert (backlog.waiting, backlog.failing, backlog.disabled, backlog.locked) == (2, 0, 0, 0)
    assert backlog.oldest_age_s >= 0
