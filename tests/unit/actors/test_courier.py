"""The courier signs, sends and settles, and lets nobody who hangs hold up the others."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
import pytest

from actors.courier.actor import Courier, CourierPace
from actors.courier.rounds import RoundRules, Rounds
from actors.courier.tally import Tally
from engarde_daemon.adapters.secrets import EnvelopeBox
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.events import Event
from engarde_daemon.domain.webhooks import Schedule, headers_of
from engarde_daemon.ports.webhooks import (
    Answer,
    DeliveryState,
    Letter,
    Outcome,
    Post,
    WebhookBacklog,
    WebhookKey,
)
from tests.support.acting import acting

AT = 1_700_000_000
LIMIT_S = 5.0
KEY = WebhookKey("tenant", "webhook")
SECRET = "whsec_c2VjcmV0"
BOX = EnvelopeBox([b"k" * 32], os.urandom)
SEALED = BOX.seal(SECRET, KEY.purpose)
RULES = RoundRules(schedule=Schedule((5, 60)), patience_s=100)


class Office:
    """The `PostOffice` port over posts that wait in a list."""

    def __init__(self, *posts: Post) -> None:
        self.posts = list(posts)
        self.settled: list[tuple[Post, Sequence[Outcome], bool]] = []
        self.in_time = True
        self.asked: list[bool] = []
        self._changed = anyio.Event()

    async def claim(self, *, lease_s: float, most: int, sound_only: bool) -> Post | None:
        """The next post, or the next sound one."""
        del lease_s, most
        self.asked.append(sound_only)
        fitting = [post for post in self.posts if not (post.failing and sound_only)]
        if not fitting:
            return None
        self.posts.remove(fitting[0])
        return fitting[0]

    async def settle(
        self, post: Post, outcomes: Sequence[Outcome], *, gone: bool, patience_s: float
    ) -> bool:
        """Remember what came of it."""
        del patience_s
        self.settled.append((post, outcomes, gone))
        self._changed.set()
        self._changed = anyio.Event()
        return self.in_time

    async def backlog(self) -> WebhookBacklog:
        """What waits."""
        return WebhookBacklog(waiting=len(self.posts))

    async def settles(self, count: int) -> None:
        """Wait until so many were."""
        with anyio.fail_after(LIMIT_S):
            while len(self.settled) < count:
                await self._changed.wait()


class Carrier:
    """The `Mailman` port: answers by URL, never where it is told to hang."""

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.carried: list[tuple[str, Mapping[str, str], bytes]] = []

    async def carry(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take a message."""
        self.carried.append((url, headers, body))
        if url == "hangs":
            await anyio.sleep_forever()
        return Answer(status=self.statuses.get(url, 200), excerpt="said", took_ms=1)

    async def close(self) -> None:
        """Nothing is open."""


def letter(number: int = 1, *, attempt: int = 1, forgotten: bool = False) -> Letter:
    """A letter about an event."""
    event = Event(
        id=f"event-{number}",
        tenant_id="tenant",
        type="content.created",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        brand_id=None,
        actor_id=None,
        data=msgspec.Raw(b"{}"),
    )
    return Letter(
        number=number,
        attempt=attempt,
        event_id=event.id,
        event=None if forgotten else event,
    )


def post(*letters: Letter, url: str = "good", failing: bool = False, **other: Any) -> Post:
    """What is due for one webhook."""
    given: dict[str, Any] = {"key": KEY, "token": 1, "secrets": (SEALED,), **other}
    return Post(url=url, failing=failing, letters=letters or (letter(),), **given)


def rounds_of(office: Office, carrier: Carrier, tally: Tally | None = None) -> Rounds:
    """Rounds whose clock stands still."""
    return Rounds(
        office=office,
        mailman=carrier,
        box=BOX,
        rules=RULES,
        tally=tally or Tally(),
        random=lambda: 0.0,
        now=lambda: AT,
    )


async def outcomes_of(carried: Post, **statuses: int) -> list[Outcome]:
    """What comes of one post."""
    office, carrier = Office(), Carrier(**statuses)
    await rounds_of(office, carrier).carry(carried)
    ((_, outcomes, _),) = office.settled
    return list(outcomes)


async def test_a_letter_is_signed_with_its_own_id():
    """And says what the stream says."""
    office, carrier = Office(), Carrier()

    await rounds_of(office, carrier).carry(post(letter(7)))

    ((_, headers, body),) = carrier.carried
    assert headers == headers_of("event-7", body, at=AT, secrets=[SECRET])
    expected = letter(7).event
    assert expected is not None
    assert body == expected.document()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, DeliveryState.DELIVERED),
        (299, DeliveryState.DELIVERED),
        (199, DeliveryState.PENDING),
        (302, DeliveryState.PENDING),
        (404, DeliveryState.PENDING),
        (500, DeliveryState.PENDING),
    ],
)
async def test_only_2xx_is_a_success(status: int, state: DeliveryState):
    """A redirect is none."""
    (outcome,) = await outcomes_of(post(), good=status)

    assert outcome.state is state
    assert outcome.response_status == status


@pytest.mark.parametrize(
    ("attempt", "state", "retry_s"),
    [
        (1, DeliveryState.PENDING, 5),
        (2, DeliveryState.PENDING, 60),
        (3, DeliveryState.FAILED, None),
    ],
)
async def test_failures_follow_the_schedule(
    attempt: int, state: DeliveryState, retry_s: float | None
):
    """After the last delay there is no hope."""
    (outcome,) = await outcomes_of(post(letter(attempt=attempt)), good=500)

    assert (outcome.state, outcome.retry_s) == (state, retry_s)


async def test_a_letter_that_outlived_its_attempts_is_not_sent():
    """It may be what ended the daemon each time."""
    office, carrier = Office(), Carrier()

    await rounds_of(office, carrier).carry(post(letter(attempt=4)))

    ((_, (outcome,), _),) = office.settled
    assert carrier.carried == []
    assert outcome.state is DeliveryState.FAILED


async def test_a_letter_without_its_event_is_given_up():
    """There is nothing to say, and there never will be."""
    (outcome,) = await outcomes_of(post(letter(forgotten=True)))

    assert outcome.state is DeliveryState.FAILED
    assert outcome.error is not None
    assert "retention_days" in outcome.error


async def test_nothing_is_sent_without_a_signature():
    """A secret that does not open keeps its letters, and the log says why."""
    office, carrier = Office(), Carrier()

    await rounds_of(office, carrier).carry(post(letter(1), letter(2), secrets=(b"harmed",)))

    ((_, outcomes, _),) = office.settled
    assert carrier.carried == []
    assert [outcome.state for outcome in outcomes] == [DeliveryState.PENDING] * 2
    assert outcomes[0].error is not None
    assert "key_file" in outcomes[0].error


async def test_an_old_secret_that_does_not_open_is_left_out():
    """The present one proves enough."""
    office, carrier = Office(), Carrier()

    await rounds_of(office, carrier).carry(post(secrets=(SEALED, b"harmed")))

    ((_, headers, _),) = carrier.carried
    assert len(headers["webhook-signature"].split()) == 1


@pytest.mark.parametrize(("status", "gone"), [(410, True), (404, False)])
async def test_an_address_may_say_that_it_is_gone(status: int, gone: bool):  # noqa: FBT001
    """In one word of HTTP."""
    office, carrier = Office(), Carrier(good=status)

    await rounds_of(office, carrier).carry(post())

    assert office.settled[0][2] is gone


async def test_attempts_are_counted_by_what_came_of_them():
    """Those that were too late for their lease are counted as that."""
    tally, office, carrier = Tally(), Office(), Carrier(bad=500)
    rounds = rounds_of(office, carrier, tally)
    await rounds.carry(post())
    await rounds.carry(post(url="bad"))
    await rounds.carry(post(letter(attempt=3), url="bad"))
    office.in_time = False
    await rounds.carry(post())

    assert tally.attempts == {"delivered": 1, "to be retried": 1, "given up": 1, "too late": 1}


async def test_webhooks_that_hang_leave_half_of_the_places_to_others():
    """However many there are."""
    hanging = [post(url="hangs", failing=True) for _ in range(5)]
    office, carrier = Office(*hanging, post(), post()), Carrier()
    pace = CourierPace(places=4, poll_s=60, count_s=60, grace_s=0.0)

    async with acting(
        lambda: Courier(office=office, rounds=rounds_of(office, carrier), pace=pace, tally=Tally())
    ):
        await office.settles(2)

    assert [settled.url for settled, _, _ in office.settled] == ["good", "good"]
    assert len([url for url, _, _ in carrier.carried if url == "hangs"]) == 2


async def test_a_stop_waits_for_letters_under_way():
    """For a moment."""
    office, carrier = Office(*[post() for _ in range(8)]), Carrier()
    pace = CourierPace(places=8, poll_s=60, count_s=60, grace_s=LIMIT_S)

    async with acting(
        lambda: Courier(office=office, rounds=rounds_of(office, carrier), pace=pace, tally=Tally())
    ):
        with anyio.fail_after(LIMIT_S):
            while office.posts:
                await anyio.lowlevel.checkpoint()

    assert len(office.settled) == 8


async def test_a_database_that_is_away_ends_nobody():
    """The lease runs out, and someone carries it again."""
    office, carrier, tally = Office(post(), post()), Carrier(), Tally()

    class Away(Office):
        async def settle(self, *_: Any, **__: Any) -> bool:
            office.settled.append((post(), (), False))
            raise Unavailable("PostgreSQL is away.")

    away = Away(post(), post())
    pace = CourierPace(places=1, poll_s=60, count_s=60, grace_s=0.0)
    async with acting(
        lambda: Courier(office=away, rounds=rounds_of(away, carrier), pace=pace, tally=tally)
    ):
        with anyio.fail_after(LIMIT_S):
            while len(office.settled) < 2:
                await anyio.lowlevel.checkpoint()

    assert len(carrier.carried) == 2
