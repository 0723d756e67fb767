"""One actor under a supervisor: answers, refusals, crashes."""

import asyncio
import gc
import weakref
from contextlib import AsyncExitStack
from typing import Any, Generic, TypeVar

import pytest

from engarde_daemon.core import (
    Actor,
    ActorCrashed,
    AskTimedOut,
    EventKind,
    Message,
    Request,
    Supervisor,
)
from tests.unit.core.stage import (
    AT_ONCE,
    SOON_S,
    Decline,
    Declined,
    Fail,
    Gate,
    Hold,
    Note,
    Parrot,
    Say,
    Witness,
    eventually,
    report_of,
    running,
)

T = TypeVar("T")


async def test_a_request_is_answered():
    """The asker gets what `receive` returns."""
    root = Supervisor("root")
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"


async def test_a_refusal_reaches_the_asker_unchanged_and_the_actor_lives_on():
    """A refusal is an answer, so nothing is restarted."""
    root = Supervisor("root")
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        with pytest.raises(Declined, match="no"):
            await parrot.ask(Decline(), timeout_s=SOON_S)

        assert report_of(root, "root/parrot").restarts == 0


async def test_a_refusal_of_a_told_message_disturbs_nobody():
    """Nobody waits for the answer, and the actor is well."""
    root = Supervisor("root")
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        await parrot.tell(Decline())

        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"
        assert report_of(root, "root/parrot").restarts == 0


async def test_a_crash_reaches_the_asker_with_its_cause():
    """The asker learns that the outcome is unknown, and why."""
    root = Supervisor("root", policy=AT_ONCE)
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        with pytest.raises(ActorCrashed, match="root/parrot failed on Fail") as crash:
            await parrot.ask(Fail("broken"), timeout_s=SOON_S)

    assert isinstance(crash.value.__cause__, ValueError)


async def test_a_crash_on_a_told_message_restarts_too():
    """A crash is a crash, whether somebody waits for an answer or not."""
    witness = Witness()
    root = Supervisor("root", policy=AT_ONCE, report=witness)
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        await parrot.tell(Fail("broken"))
        await witness.hears(EventKind.STARTED, 3)


async def test_the_address_outlives_a_crash():
    """A successor reads the same mailbox; what was queued is still there."""
    root = Supervisor("root", policy=AT_ONCE)
    parrot = root.add("parrot", Parrot, capacity=2)
    async with running(root):
        parrot.offer(Fail())
        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"


async def test_a_message_is_never_tried_twice():
    """The message that crashed an actor is gone with it: its successor must not die of it."""
    root = Supervisor("root", policy=AT_ONCE)
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        with pytest.raises(ActorCrashed):
            await parrot.ask(Fail(), timeout_s=SOON_S)
        await parrot.ask(Say("hello"), timeout_s=SOON_S)

        assert report_of(root, "root/parrot").restarts == 1


async def test_an_ask_that_times_out_leaves_the_actor_at_work():
    """The late answer goes nowhere, and the next request is answered."""
    gate = Gate()
    root = Supervisor("root")
    parrot = root.add("parrot", lambda: Parrot(gate=gate), capacity=1)
    async with running(root):
        with pytest.raises(AskTimedOut, match="root/parrot did not answer Hold"):
            await parrot.ask(Hold(), timeout_s=0.001)
        gate.opened.set()

        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"


async def test_one_message_at_a_time_in_the_order_sent():
    """An actor never sees two messages at once, nor out of order."""
    gate, diary = Gate(), list[str]()
    root = Supervisor("root")
    parrot = root.add("parrot", lambda: Parrot("polly", diary, gate), capacity=3)
    async with running(root):
        for message in (Hold(), Note("second"), Note("third")):
            parrot.offer(message)
        await gate.reached.wait()
        assert diary == ["polly started"]
        gate.opened.set()
        await eventually(lambda: len(diary) == 3)

    assert diary[1:3] == ["polly second", "polly third"]


async def test_an_actor_that_never_waits_lets_the_others_run():
    """The loop turns between two messages, so that a full mailbox starves nobody."""
    root = Supervisor("root")
    diary: list[str] = []
    parrot = root.add("parrot", lambda: Parrot("polly", diary), capacity=100)
    async with running(root):
        for number in range(100):
            parrot.offer(Note(str(number)))
        await eventually(lambda: len(diary) > 1)

        assert len(diary) < 100


async def test_an_answered_request_is_let_go():
    """Its deadline's timer does not keep it in memory until it would have fired."""

    class Heavy(Request[None], frozen=True, weakref=True):
        pass

    class Bearer(Actor[Heavy]):
        async def receive(self, message: Heavy) -> None:
            pass

    root = Supervisor("root")
    bearer = root.add("bearer", Bearer, capacity=1)
    async with running(root):
        heavy = Heavy()
        held = weakref.ref(heavy)
        await bearer.ask(heavy, timeout_s=SOON_S)
        del heavy
        gc.collect()

        assert held() is None


async def test_an_actor_knows_its_own_address():
    """From `started` on it can remind itself."""
    diary: list[str] = []

    class Reminded(Parrot):
        async def started(self, resources: AsyncExitStack) -> None:
            await super().started(resources)
            self.own.offer(Note("reminded"))

    root = Supervisor("root")
    root.add("polly", lambda: Reminded("polly", diary), capacity=1)
    async with running(root):
        await eventually(lambda: diary == ["polly started", "polly reminded"])


async def test_nothing_is_left_for_the_garbage_collector(recwarn: pytest.WarningsRecorder):
    """Crashes, refusals and timeouts leave no unclosed resource and no unread error."""
    complaints: list[dict[str, Any]] = []
    root = Supervisor("root", policy=AT_ONCE)
    parrot = root.add("parrot", Parrot, capacity=1, grace_s=0.0)
    async with running(root):
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, complaint: complaints.append(complaint)
        )
        for request in (Fail(), Decline(), Hold()):
            with pytest.raises((ActorCrashed, Declined, AskTimedOut)):
                await parrot.ask(request, timeout_s=0.01 if request == Hold() else SOON_S)
            root.restart("root/parrot")
    gc.collect()

    assert (complaints, list(recwarn)) == ([], [])


def test_an_actor_must_name_its_messages():
    """A forward reference would leave the run-time check blind, so it is refused at once."""
    with pytest.raises(TypeError, match="Vague must name the Message classes it takes"):

        class Vague(Actor["Say"]):
            pass


def test_an_actor_takes_messages_only():
    """Another class could never be sent, so it is a mistake."""
    with pytest.raises(TypeError, match="Strange must name the Message classes it takes"):

        class Strange(Actor[int]):  # type: ignore[type-var]
            pass


def test_an_actor_of_one_message_accepts_it():
    """No union is needed for a single class."""

    class Lone(Actor[Say]):
        async def receive(self, message: Say) -> str:
            return message.text

    assert Lone.accepts == {Say}


def test_a_derived_actor_accepts_what_its_base_does():
    """Subclassing an actor keeps its messages."""

    class Macaw(Parrot):
        pass

    assert Macaw.accepts == Parrot.accepts == {Say, Note, Fail, Decline, Hold}


def test_an_actor_may_have_other_generic_bases():
    """Only the actor's own argument names its messages."""

    class Plain:
        pass

    class Keeper(Plain, Actor[Say], Generic[T]):
        async def receive(self, message: Say) -> str:
            return message.text

    assert Keeper.accepts == {Say}


async def test_the_supervised_address_checks_messages():
    """Once the actor has started, a message it does not know is the sender's error."""

    class Stranger(Message, frozen=True):
        pass

    root = Supervisor("root")
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        with pytest.raises(TypeError, match="not Stranger"):
            parrot.offer(Stranger())  # type: ignore[arg-type]
