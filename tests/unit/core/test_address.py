"""Sending: what senders may rely on, whoever reads the mailbox."""

import anyio
import pytest

from engarde_daemon.core import ActorStopped, AskTimedOut, BatchLimit, MailboxFull
from engarde_daemon.core.mailbox import Envelope, Mailbox
from tests.unit.core.stage import SOON_S, Clock, Note, Say, eventually

ONE = BatchLimit(messages=1)


def take(mailbox: Mailbox[Note | Say], limit: BatchLimit = ONE) -> list[Envelope[Note | Say]]:
    """Take messages as an actor would."""
    batch: list[Envelope[Note | Say]] = []
    mailbox.fill(batch, limit, lambda _message: 0)
    return batch


def texts(mailbox: Mailbox[Note | Say]) -> list[str]:
    """Take everything and give the texts."""
    return [envelope.message.text for envelope in take(mailbox, BatchLimit())]


@pytest.fixture
def mailbox() -> Mailbox[Note | Say]:
    """A mailbox with room for one message, that nobody reads."""
    mailbox: Mailbox[Note | Say] = Mailbox(capacity=1)
    mailbox.place("root/parrot", Clock())
    return mailbox


async def test_a_mailbox_needs_room():
    """A capacity below one could never take a message."""
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Mailbox(capacity=0)


async def test_offer_refuses_when_full(mailbox: Mailbox[Note | Say]):
    """An offer never waits and never exceeds the capacity."""
    mailbox.offer(Note("first"))

    with pytest.raises(MailboxFull, match="root/parrot has 1 messages"):
        mailbox.offer(Note("second"))

    assert texts(mailbox) == ["first"]


async def test_a_closed_address_refuses_at_once(mailbox: Mailbox[Note | Say]):
    """After close, each way of sending says that the actor has stopped."""
    mailbox.close()

    with pytest.raises(ActorStopped):
        mailbox.offer(Note("offered"))
    with pytest.raises(ActorStopped):
        await mailbox.tell(Note("told"))
    with pytest.raises(ActorStopped):
        await mailbox.ask(Say("asked"), timeout_s=SOON_S)


async def test_an_unknown_message_is_the_senders_error(mailbox: Mailbox[Note | Say]):
    """The sender learns it, before anything is queued."""
    mailbox.open(frozenset({Note}))

    with pytest.raises(TypeError, match="root/parrot takes Note, not Say"):
        await mailbox.ask(Say("hello"), timeout_s=SOON_S)

    assert mailbox.depth == 0


async def test_tell_waits_for_room_in_order(mailbox: Mailbox[Note | Say]):
    """Senders that wait are admitted in the order in which they came."""
    mailbox.offer(Note("first"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mailbox.tell, Note("second"))
        await eventually(lambda: mailbox.waiting == 1)
        tasks.start_soon(mailbox.tell, Note("third"))
        await eventually(lambda: mailbox.waiting == 2)

        assert [texts(mailbox), texts(mailbox), texts(mailbox)] == [
            ["first"],
            ["second"],
            ["third"],
        ]


async def test_nobody_overtakes_those_who_wait(mailbox: Mailbox[Note | Say]):
    """Room that appears goes to the waiting sender, not to a later offer."""
    mailbox.offer(Note("first"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mailbox.tell, Note("second"))
        await eventually(lambda: mailbox.waiting == 1)
        take(mailbox)

        with pytest.raises(MailboxFull):
            mailbox.offer(Note("third"))


async def test_a_cancelled_tell_is_not_delivered(mailbox: Mailbox[Note | Say]):
    """A sender that gives up while it waits for room takes its message along."""
    mailbox.offer(Note("first"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mailbox.tell, Note("second"))
        await eventually(lambda: mailbox.waiting == 1)
        tasks.cancel_scope.cancel()

    assert mailbox.waiting == 0
    assert (texts(mailbox), mailbox.depth) == (["first"], 0)


async def test_room_that_appears_as_a_sender_gives_up_goes_to_the_next(
    mailbox: Mailbox[Note | Say],
):
    """Cancelled in the very turn of the loop that made room, a message stays unsent."""
    mailbox.offer(Note("first"))
    async with anyio.create_task_group() as tasks:
        async with anyio.create_task_group() as impatient:
            impatient.start_soon(mailbox.tell, Note("second"))
            await eventually(lambda: mailbox.waiting == 1)
            tasks.start_soon(mailbox.tell, Note("third"))
            await eventually(lambda: mailbox.waiting == 2)
            impatient.cancel_scope.cancel()
            take(mailbox)

        assert texts(mailbox) == ["third"]


async def test_a_sender_that_gives_up_as_the_address_closes_is_left_alone(
    mailbox: Mailbox[Note | Say],
):
    """Cancelled in the very turn of the loop in which the address closes, it hears only that."""
    mailbox.offer(Note("first"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(mailbox.tell, Note("second"))
        await eventually(lambda: mailbox.waiting == 1)
        tasks.cancel_scope.cancel()
        mailbox.close()

    assert mailbox.waiting == 0


async def test_nothing_is_sent_from_a_cancelled_scope(mailbox: Mailbox[Note | Say]):
    """Neither tell nor ask queues a message whose sender is being cancelled."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        await mailbox.tell(Note("told"))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await mailbox.ask(Say("asked"), timeout_s=SOON_S)

    assert mailbox.depth == 0


async def test_an_offer_is_sent_even_from_a_cancelled_scope(mailbox: Mailbox[Note | Say]):
    """Clean-up code that cannot wait can still say something."""
    with anyio.CancelScope() as scope:
        scope.cancel()
        try:
            await anyio.lowlevel.checkpoint()
        finally:
            mailbox.offer(Note("offered"))

    assert texts(mailbox) == ["offered"]


async def test_close_refuses_those_who_wait_for_room(mailbox: Mailbox[Note | Say]):
    """A sender must not wait for a place that will never be free."""
    stopped = []

    async def tell() -> None:
        with pytest.raises(ActorStopped):
            await mailbox.tell(Note("told"))
        stopped.append("tell")

    async def ask() -> None:
        with pytest.raises(ActorStopped):
            await mailbox.ask(Say("asked"), timeout_s=SOON_S)
        stopped.append("ask")

    mailbox.offer(Note("first"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell)
        tasks.start_soon(ask)
        await eventually(lambda: mailbox.waiting == 2)
        mailbox.close()

    assert sorted(stopped) == ["ask", "tell"]
    assert texts(mailbox) == ["first"]


async def test_the_wait_for_room_counts_against_the_deadline(mailbox: Mailbox[Note | Say]):
    """An ask that never found room times out, and its request is withdrawn."""
    mailbox.offer(Note("first"))

    with pytest.raises(AskTimedOut, match=r"root/parrot did not answer Say in 0.001 s"):
        await mailbox.ask(Say("asked"), timeout_s=0.001)

    assert mailbox.waiting == 0


async def test_an_ask_that_waited_for_room_is_answered(mailbox: Mailbox[Note | Say]):
    """It is admitted like any other message, and keeps its asker."""
    answers = []

    async def ask() -> None:
        answers.append(await mailbox.ask(Say("asked"), timeout_s=SOON_S))

    mailbox.offer(Note("first"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await eventually(lambda: mailbox.waiting == 1)
        take(mailbox)
        take(mailbox)[0].answer("answered")

    assert answers == ["answered"]


async def test_an_asked_timeout_is_a_timeout_error():
    """Callers that only know TimeoutError are served too."""
    assert issubclass(AskTimedOut, TimeoutError)


async def test_an_answer_is_not_lost_to_a_cancellation_in_the_same_turn(
    mailbox: Mailbox[Note | Say],
):
    """Delivered first and cancelled after, within one turn of the loop, it still arrives."""
    answers = []

    async def ask() -> None:
        answers.append(await mailbox.ask(Say("asked"), timeout_s=SOON_S))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await eventually(lambda: mailbox.depth == 1)
        take(mailbox)[0].answer("answered")
        tasks.cancel_scope.cancel()

    assert answers == ["answered"]


async def test_a_request_is_dropped_when_its_asker_was_cancelled(mailbox: Mailbox[Note | Say]):
    """What nobody waits for any more is never begun, but counted."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: mailbox.ask(Say("asked"), timeout_s=SOON_S))
        await eventually(lambda: mailbox.depth == 1)
        tasks.cancel_scope.cancel()

    assert (take(mailbox), mailbox.expired) == ([], 1)


async def test_a_request_is_dropped_when_its_deadline_has_passed():
    """The clock decides, even if the loop was too busy for the asker's own timer."""
    clock = Clock()
    mailbox: Mailbox[Note | Say] = Mailbox(capacity=2)
    mailbox.place("root/parrot", clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: mailbox.ask(Say("asked"), timeout_s=SOON_S))
        await eventually(lambda: mailbox.depth == 1)
        mailbox.offer(Note("told"))
        clock.now += SOON_S

        assert texts(mailbox) == ["told"]
        tasks.cancel_scope.cancel()

    assert mailbox.expired == 1
