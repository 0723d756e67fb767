"""Batches: what is taken at once, who gets which answer, and what poison does."""

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from engarde_daemon.core import (
    ActorCrashed,
    Address,
    BatchActor,
    BatchLimit,
    EventKind,
    Refusal,
    Request,
    Supervisor,
)
from tests.unit.core.stage import (
    AT_ONCE,
    SOON_S,
    Gate,
    Witness,
    eventually,
    report_of,
    running,
)

CLERK = "root/clerk"


class Write(Request[str], frozen=True):
    """Asks the clerk to write a text."""

    text: str


class Clerk(BatchActor[Write]):
    """Writes batches; a text that starts with `poison` makes the batch fail."""

    def __init__(
        self, batches: list[list[str]], limit: BatchLimit | None = None, gate: Gate | None = None
    ) -> None:
        self.batches = batches
        self.batch = limit or BatchLimit()
        self.gate = gate

    def cost(self, message: Write) -> int:
        """Count characters."""
        if message.text == "priceless":
            raise LookupError("no price")
        return len(message.text)

    async def receive_batch(self, messages: Sequence[Write]) -> Sequence[Any]:
        """Write the texts, unless one of them is special."""
        texts = [message.text for message in messages]
        self.batches.append(texts)
        if self.gate:
            await self.gate.pass_through()
        if any(text.startswith("poison") for text in texts):
            raise ValueError("poison")
        if "closed" in texts:
            raise Refusal("closed today")
        if "short" in texts:
            return texts[1:]
        return [Refusal(text) if text == "refused" else f"wrote {text}" for text in texts]


async def ask_all(
    root: Supervisor, clerk: Address[Write], texts: Sequence[str]
) -> dict[str, str | Exception]:
    """Queue all texts while the clerk is paused, let it go on, and give each text's outcome."""
    outcomes: dict[str, str | Exception] = {}

    async def ask(text: str) -> None:
        try:
            outcomes[text] = await clerk.ask(Write(text), timeout_s=SOON_S)
        except (Refusal, ActorCrashed) as error:
            outcomes[text] = error

    root.pause(CLERK)
    async with anyio.create_task_group() as tasks:
        for text in texts:
            tasks.start_soon(ask, text)
        await eventually(lambda: clerk.depth + clerk.waiting == len(texts))
        root.resume(CLERK)
    return outcomes


async def test_everything_waiting_is_one_batch():
    """What has gathered in the mailbox is taken at once, each asker with its own answer."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches), capacity=3)
    async with running(root):
        outcomes = await ask_all(root, clerk, ["a", "b", "c"])

    assert batches == [["a", "b", "c"]]
    assert outcomes == {"a": "wrote a", "b": "wrote b", "c": "wrote c"}


async def test_an_idle_actor_takes_a_batch_of_one():
    """A lone message does not wait for company."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches), capacity=3)
    async with running(root):
        await clerk.ask(Write("a"), timeout_s=SOON_S)
        await clerk.ask(Write("b"), timeout_s=SOON_S)

    assert batches == [["a"], ["b"]]


async def test_a_batch_is_bounded_in_messages():
    """No more than the limit is taken at once; the rest is the next batch."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches, BatchLimit(messages=2)), capacity=3)
    async with running(root):
        await ask_all(root, clerk, ["a", "b", "c"])

    assert batches == [["a", "b"], ["c"]]


async def test_a_batch_is_bounded_in_cost():
    """A message that would exceed the cost opens the next batch, and keeps its place."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches, BatchLimit(cost=5)), capacity=4)
    async with running(root):
        await ask_all(root, clerk, ["aa", "bbb", "cccc", "d"])

    assert batches == [["aa", "bbb"], ["cccc", "d"]]


async def test_a_single_message_always_fits():
    """A message dearer than the limit goes alone, or it would never go."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches, BatchLimit(cost=2)), capacity=3)
    async with running(root):
        await ask_all(root, clerk, ["a", "too dear", "b"])

    assert batches == [["a"], ["too dear"], ["b"]]


async def test_those_who_wait_for_room_are_in_the_next_batch():
    """Taking a batch admits the senders that waited, in their order."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches), capacity=2)
    async with running(root):
        await ask_all(root, clerk, ["a", "b", "c"])

    assert batches == [["a", "b"], ["c"]]


async def test_a_refusal_among_the_answers_is_raised_to_its_asker_only():
    """One refused message does not trouble its neighbours."""
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk([]), capacity=3)
    async with running(root):
        outcomes = await ask_all(root, clerk, ["a", "refused", "c"])

    assert (outcomes["a"], outcomes["c"]) == ("wrote a", "wrote c")
    assert isinstance(outcomes["refused"], Refusal)


async def test_a_raised_refusal_is_for_the_whole_batch():
    """A batch that is refused as such is not tried again in halves."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches), capacity=2)
    async with running(root):
        outcomes = await ask_all(root, clerk, ["a", "closed"])

    assert [str(outcome) for outcome in outcomes.values()] == ["closed today"] * 2
    assert len(batches) == 1


async def test_poison_harms_only_its_own_asker():
    """The batch is bisected until the poisoned message stands alone; nobody is restarted."""
    witness = Witness()
    root = Supervisor("root", report=witness)
    clerk = root.add("clerk", lambda: Clerk([]), capacity=64)
    texts = [str(number) for number in range(63)]
    async with running(root):
        outcomes = await ask_all(root, clerk, [*texts[:40], "poison", *texts[40:]])

        report = report_of(root, CLERK)

    assert isinstance(poisoned := outcomes.pop("poison"), ActorCrashed)
    assert isinstance(poisoned.__cause__, ValueError)
    assert outcomes == {text: f"wrote {text}" for text in texts}
    assert (report.restarts, report.last_error) == (0, "ValueError: poison")
    assert [event.path for event in witness.of(EventKind.POISONED)] == [CLERK]


async def test_bisection_is_logarithmic():
    """One poisoned message among 64 costs the batch and two halves for each halving."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches), capacity=64)
    async with running(root):
        await ask_all(root, clerk, ["poison", *(str(number) for number in range(63))])

    assert len(batches) == 1 + 2 * 6


async def test_a_lone_poisoned_message_is_no_crash():
    """The state is in the database, so one bad message is no reason to restart."""
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk([]), capacity=1)
    async with running(root):
        with pytest.raises(ActorCrashed):
            await clerk.ask(Write("poison"), timeout_s=SOON_S)

        assert report_of(root, CLERK).restarts == 0


async def test_a_batch_of_nothing_but_poison_is_a_crash():
    """If every message of a batch fails, the actor itself is ill; each asker hears first."""
    witness = Witness()
    root = Supervisor("root", policy=AT_ONCE, report=witness)
    clerk = root.add("clerk", lambda: Clerk([]), capacity=2)
    async with running(root):
        outcomes = await ask_all(root, clerk, ["poison 1", "poison 2"])
        await witness.hears(EventKind.STARTED, 3)

    assert [type(outcome) for outcome in outcomes.values()] == [ActorCrashed] * 2


async def test_an_ill_actor_is_not_asked_about_every_message():
    """After `failures_max` failures in a row the rest of a large batch is given up at once."""
    batches: list[list[str]] = []
    root = Supervisor("root", policy=AT_ONCE)
    clerk = root.add("clerk", lambda: Clerk(batches), capacity=512)
    async with running(root):
        outcomes = await ask_all(root, clerk, [f"poison {number}" for number in range(512)])

    assert {type(outcome) for outcome in outcomes.values()} == {ActorCrashed}
    assert len(outcomes) == 512
    assert len(batches) < 20


async def test_failures_in_a_row_are_a_crash():
    """Single failures add up until something succeeds."""
    root = Supervisor("root", policy=AT_ONCE)
    clerk = root.add("clerk", lambda: Clerk([]), capacity=1)
    async with running(root):
        for _ in range(Clerk.failures_max):
            assert report_of(root, CLERK).restarts == 0
            with pytest.raises(ActorCrashed):
                await clerk.ask(Write("poison"), timeout_s=SOON_S)
        await clerk.ask(Write("a"), timeout_s=SOON_S)

        assert report_of(root, CLERK).restarts == 1


async def test_a_success_ends_a_row_of_failures():
    """An actor that can still write is not ill."""
    root = Supervisor("root", policy=AT_ONCE)
    clerk = root.add("clerk", lambda: Clerk([]), capacity=1)
    async with running(root):
        for _ in range(Clerk.failures_max):
            with pytest.raises(ActorCrashed):
                await clerk.ask(Write("poison"), timeout_s=SOON_S)
            await clerk.ask(Write("a"), timeout_s=SOON_S)

        assert report_of(root, CLERK).restarts == 0


async def test_answers_that_do_not_match_the_batch_are_given_to_nobody():
    """With one answer missing, any asker could get another's; so all get an error."""
    root = Supervisor("root", policy=AT_ONCE)
    clerk = root.add("clerk", lambda: Clerk([]), capacity=3)
    async with running(root):
        outcomes = await ask_all(root, clerk, ["a", "short", "c"])

        assert {str(outcome) for outcome in outcomes.values()} == {"root/clerk failed on Write"}
        assert report_of(root, CLERK).restarts == 1


async def test_a_cost_that_raises_crashes_without_losing_anyone():
    """Those taken are answered, those waiting for room are served by the successor."""
    root = Supervisor("root", policy=AT_ONCE)
    clerk = root.add("clerk", lambda: Clerk([]), capacity=2)
    async with running(root):
        outcomes = await ask_all(root, clerk, ["a", "priceless", "c"])

    assert isinstance(outcomes["a"], ActorCrashed)
    assert isinstance(outcomes["priceless"], ActorCrashed)
    assert outcomes["c"] == "wrote c"


async def test_a_batch_of_requests_given_up_is_no_batch():
    """`receive_batch` is not called for askers who have gone."""
    batches: list[list[str]] = []
    root = Supervisor("root")
    clerk = root.add("clerk", lambda: Clerk(batches), capacity=1)
    async with running(root):
        root.pause(CLERK)
        with anyio.CancelScope() as asker:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: clerk.ask(Write("a"), timeout_s=SOON_S))
                await eventually(lambda: clerk.depth == 1)
                asker.cancel()
        root.resume(CLERK)
        await eventually(lambda: clerk.depth == 0)

    assert (batches, report_of(root, CLERK).expired) == ([], 1)


async def test_a_batch_cut_off_answers_every_asker_and_is_counted():
    """When the grace is over, all askers of the running batch learn it."""
    gate, witness = Gate(), Witness()
    root = Supervisor("root", report=witness)
    clerk = root.add("clerk", lambda: Clerk([], gate=gate), capacity=2, grace_s=0.0)
    async with running(root), anyio.create_task_group() as tasks:

        async def ask(text: str) -> None:
            with pytest.raises(ActorCrashed, match="root/clerk was cut off at Write"):
                await clerk.ask(Write(text), timeout_s=SOON_S)

        root.pause(CLERK)
        tasks.start_soon(ask, "a")
        tasks.start_soon(ask, "b")
        await eventually(lambda: clerk.depth == 2)
        root.resume(CLERK)
        await gate.reached.wait()
        root.stop()

    assert [event.messages for event in witness.of(EventKind.ABANDONED)] == [2]


async def test_receive_is_a_batch_of_one():
    """A batch actor can be used where a plain actor is expected."""
    assert await Clerk([]).receive(Write("a")) == "wrote a"
