"""Starting and ending a tree: the order, the grace, and what is named when it is over."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest

from engarde_daemon.core import (
    ActorCrashed,
    ActorStopped,
    Address,
    EventKind,
    Health,
    RestartLimitReached,
    RestartPolicy,
    Strategy,
    Supervisor,
)
from tests.unit.core.stage import (
    AT_ONCE,
    SOON_S,
    Fail,
    Gate,
    Hold,
    Note,
    Parrot,
    Say,
    Spoken,
    Witness,
    eventually,
    report_of,
    running,
)

NEVER = RestartPolicy(intensity=0)


def parrots(root: Supervisor, diary: list[str], *names: str) -> None:
    """Add parrots that share a diary."""
    for name in names:
        root.add(name, _parrot(name, diary), capacity=4)


def _parrot(name: str, diary: list[str]) -> Callable[[], Parrot]:
    return lambda: Parrot(name, diary)


class Starter(Parrot):
    """A parrot whose start hangs until its gate opens."""

    async def started(self, resources: AsyncExitStack) -> None:
        """Hang between opening and being ready."""
        await super().started(resources)
        await self.gate.pass_through()


class Dawdler(Parrot):
    """A parrot whose resources hang when they are closed."""

    async def started(self, resources: AsyncExitStack) -> None:
        """Open something that closes only when the gate opens."""
        resources.push_async_callback(self.gate.pass_through)


class Careful(Parrot):
    """A parrot whose resources need a moment to be closed."""

    async def started(self, resources: AsyncExitStack) -> None:
        """Open something that must not be closed in haste."""
        resources.push_async_callback(self.close)

    async def close(self) -> None:
        """Close it, unless cancelled."""
        await anyio.lowlevel.checkpoint()
        self.write("closed in peace")


class CarefulStarter(Careful):
    """A careful parrot whose start takes until its gate opens."""

    async def started(self, resources: AsyncExitStack) -> None:
        """Hang between opening and being ready."""
        await super().started(resources)
        await self.gate.pass_through()
        self.gate = Gate()


class Lingerer(Parrot):
    """A parrot that does not finish."""

    async def stopping(self) -> None:
        """Hang until the gate opens."""
        await self.gate.pass_through()


async def test_children_start_in_order_and_end_in_reverse():
    """Who comes later may build on who came before, up to the last moment."""
    diary: list[str] = []
    root = Supervisor("root", Strategy.REST_FOR_ONE)
    parrots(root, diary, "first", "second")
    async with running(root):
        assert diary == ["first started", "second started"]

    assert diary[2:] == ["second stopping", "second closed", "first stopping", "first closed"]


async def test_a_later_layer_waits_until_the_earlier_is_ready():
    """With rest for one, nothing starts on ground that is not there yet."""
    diary: list[str] = []
    gate = Gate()
    root = Supervisor("root", Strategy.REST_FOR_ONE)
    root.add("first", lambda: Starter("first", diary, gate), capacity=1)
    parrots(root, diary, "second")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(root.run)
        await gate.reached.wait()
        assert report_of(root, "root/second").status is Health.WAITING
        gate.opened.set()
        await eventually(lambda: diary == ["first started", "second started"])
        root.stop()


async def test_equals_do_not_wait_for_each_other():
    """With one for one, a child whose start hangs does not keep its siblings from working."""
    gate = Gate()
    root = Supervisor("root")
    root.add("first", lambda: Starter(gate=gate), capacity=1)
    second = root.add("second", Parrot, capacity=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(root.run)
        await gate.reached.wait()

        assert await second.ask(Say("hello"), timeout_s=SOON_S) == "hello"
        gate.opened.set()
        root.stop()


async def test_a_supervisor_is_ready_when_all_its_children_are():
    """The starter of `run` may use every address."""
    gate = Gate()
    witness = Witness()
    root = Supervisor("root", report=witness)
    root.add("slow", lambda: Starter(gate=gate), capacity=1)
    root.add("quick", Parrot, capacity=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(root.run)
        await gate.reached.wait()
        await witness.hears(EventKind.STARTED)
        assert root.health().status is Health.STARTING
        gate.opened.set()
        await witness.hears(EventKind.STARTED, 3)

        assert root.health().status is Health.RUNNING
        root.stop()


async def test_a_supervisor_without_children_is_ready():
    """There is nothing to wait for."""
    root = Supervisor("root")
    async with running(root):
        assert root.health().status is Health.RUNNING


async def test_an_idle_tree_sleeps():
    """With nothing to do, no task of the kernel keeps the loop turning."""
    root = Supervisor("root")
    branch = Supervisor("branch")
    root.add_supervisor(branch)
    branch.add("parrot", Parrot, capacity=1)
    async with running(root):
        await anyio.wait_all_tasks_blocked()

        assert root.health().status is Health.RUNNING


async def test_stop_drains_what_is_queued():
    """Messages taken in before the stop are worked off, then the actor finishes."""
    gate, diary = Gate(), list[str]()
    root = Supervisor("root")
    parrot = root.add("polly", lambda: Parrot("polly", diary, gate), capacity=3)
    async with running(root):
        parrot.offer(Hold())
        parrot.offer(Note("queued"))
        await gate.reached.wait()
        root.stop()
        gate.opened.set()

    assert diary == ["polly started", "polly queued", "polly stopping", "polly closed"]


async def test_intake_ends_with_the_stop():
    """While an actor drains, new messages are refused already."""
    gate = Gate()
    root = Supervisor("root")
    parrot = root.add("parrot", lambda: Parrot(gate=gate), capacity=3)
    async with running(root):
        parrot.offer(Hold())
        await gate.reached.wait()
        root.stop()
        await eventually(lambda: report_of(root, "root/parrot").status is Health.STOPPING)
        with pytest.raises(ActorStopped, match="root/parrot has stopped"):
            await parrot.ask(Say("hello"), timeout_s=SOON_S)
        gate.opened.set()


async def test_cancelling_run_is_as_orderly_as_stop():
    """Each child is shielded: drained and ended in reverse, not killed all at once."""
    diary: list[str] = []
    gate = Gate()
    root = Supervisor("root", Strategy.REST_FOR_ONE)
    parrots(root, diary, "first")
    second = root.add("second", lambda: Parrot("second", diary, gate), capacity=3)
    async with anyio.create_task_group() as tasks:
        await tasks.start(root.run)
        second.offer(Hold())
        second.offer(Note("queued"))
        await gate.reached.wait()
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await eventually(lambda: report_of(root, "root/second").status is Health.STOPPING)
        assert root.health().status is Health.STOPPING
        gate.opened.set()

    assert diary[2:] == [
        "second queued",
        "second stopping",
        "second closed",
        "first stopping",
        "first closed",
    ]
    assert root.health().status is Health.STOPPED


async def test_stop_before_run_starts_nothing():
    """A signal that arrives too early is not forgotten."""
    diary: list[str] = []
    root = Supervisor("root")
    parrots(root, diary, "polly")
    root.stop()

    await root.run()

    assert diary == []


async def test_stop_after_the_end_changes_nothing():
    """Who comes too late does not make a stopped tree look as if it were stopping."""
    root = Supervisor("root")
    async with running(root):
        pass

    root.stop()

    assert root.health().status is Health.STOPPED


async def test_stop_before_ready_does_not_mislead_the_starter():
    """The starter sees an ordinary start, not 'child exited without calling started'."""
    gate = Gate()
    root = Supervisor("root")
    root.add("slow", lambda: Starter(gate=gate), capacity=1, grace_s=0.0)
    async with anyio.create_task_group() as tasks:

        async def stop() -> None:
            await gate.reached.wait()
            root.stop()

        tasks.start_soon(stop)
        await tasks.start(root.run)

    assert root.health().status is Health.STOPPED


async def test_a_failed_start_reaches_the_starter_as_what_it_is():
    """The starter gets the limit with its cause, not a complaint about the task status."""

    def hatch() -> Parrot:
        raise LookupError("no egg")

    root = Supervisor("root", policy=NEVER)
    root.add("parrot", hatch, capacity=1)

    with pytest.raises(ExceptionGroup) as group:
        async with anyio.create_task_group() as tasks:
            await tasks.start(root.run)

    (limit,) = group.value.exceptions
    assert isinstance(limit, RestartLimitReached)
    assert isinstance(limit.__cause__, LookupError)


async def test_the_grace_bounds_the_draining_and_names_the_abandoned():
    """What is cut off at work and what was never taken are both reported."""
    gate, witness = Gate(), Witness()
    root = Supervisor("root", report=witness)
    parrot = root.add("parrot", lambda: Parrot(gate=gate), capacity=3, grace_s=0.0)
    outcomes: list[str] = []

    async def ask(request: Any) -> None:
        try:
            await parrot.ask(request, timeout_s=SOON_S)
        except (ActorCrashed, ActorStopped) as error:
            outcomes.append(str(error))

    async with running(root), anyio.create_task_group() as tasks:
        tasks.start_soon(ask, Hold())
        await gate.reached.wait()
        tasks.start_soon(ask, Say("never taken"))
        await eventually(lambda: parrot.depth == 1)
        root.stop()

    assert outcomes == [
        "root/parrot was cut off at Hold",
        "root/parrot has stopped and takes no messages",
    ]
    assert [(event.path, event.messages) for event in witness.of(EventKind.ABANDONED)] == [
        ("root/parrot", 1),
        ("root/parrot", 1),
    ]


async def test_the_grace_bounds_stopping():
    """A last step that hangs is cut off, and the resources are closed all the same."""
    diary: list[str] = []
    witness = Witness()
    root = Supervisor("root", report=witness)
    root.add("polly", lambda: Lingerer("polly", diary), capacity=1, grace_s=0.0)
    async with running(root):
        pass

    assert diary == ["polly started", "polly closed"]
    assert [event.messages for event in witness.of(EventKind.ABANDONED)] == [0]


async def test_resources_are_closed_in_peace_after_a_cut():
    """Closing has a grace of its own: under cancellation it would leak."""
    diary: list[str] = []
    gate = Gate()
    root = Supervisor("root")
    parrot = root.add("polly", lambda: Careful("polly", diary, gate), capacity=1, grace_s=0.05)
    async with running(root):
        parrot.offer(Hold())
        await gate.reached.wait()

    assert diary == ["polly closed in peace"]


async def test_resources_are_closed_in_peace_after_a_late_start_and_a_cut():
    """Told to stop while starting, then cut off at work, an actor still closes in peace."""
    diary: list[str] = []
    gate = Gate()
    root = Supervisor("root")
    parrot = root.add(
        "polly", lambda: CarefulStarter("polly", diary, gate), capacity=1, grace_s=0.05
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(root.run)
        parrot.offer(Hold())
        await gate.reached.wait()
        root.stop()
        await eventually(lambda: report_of(root, "root/polly").status is Health.STOPPING)
        gate.opened.set()

    assert diary == ["polly closed in peace"]


async def test_a_start_that_hangs_is_bounded_by_the_grace_too():
    """The tree ends although one of its actors never became ready."""
    diary: list[str] = []
    gate = Gate()
    root = Supervisor("root")
    root.add("polly", lambda: Starter("polly", diary, gate), capacity=1, grace_s=0.0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(root.run)
        await gate.reached.wait()
        root.stop()

    assert diary == ["polly started", "polly closed"]


async def test_a_start_that_ends_within_the_grace_is_followed_by_draining():
    """Told to stop while starting, an actor still works off what is queued."""
    diary: list[str] = []
    gate = Gate()
    root = Supervisor("root")
    parrot = root.add("polly", lambda: Starter("polly", diary, gate), capacity=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(root.run)
        parrot.offer(Note("queued"))
        await gate.reached.wait()
        root.stop()
        await eventually(lambda: report_of(root, "root/polly").status is Health.STOPPING)
        gate.opened.set()

    assert diary == ["polly started", "polly queued", "polly stopping", "polly closed"]


async def test_resources_that_do_not_close_are_named():
    """Closing is bounded as well, and who overran it is reported."""
    witness = Witness()
    root = Supervisor("root", report=witness)
    root.add("parrot", Dawdler, capacity=1, grace_s=0.0)
    async with running(root):
        pass

    (crash,) = witness.of(EventKind.CRASHED)
    assert (crash.path, str(crash.error)) == ("root/parrot", "root/parrot not closed within 0 s")


async def test_a_crash_is_not_forgotten_when_closing_hangs():
    """The first error stays the cause of the second."""
    witness = Witness()
    root = Supervisor("root", policy=AT_ONCE, report=witness)
    parrot = root.add("parrot", Dawdler, capacity=1, grace_s=0.0)
    async with running(root):
        await parrot.tell(Fail("first"))
        error = (await witness.hears(EventKind.CRASHED)).error

    assert isinstance(error, TimeoutError)
    assert isinstance(error.__cause__, ValueError)


async def test_a_tree_stops_while_an_actor_backs_off():
    """Nobody waits for a restart that is no longer wanted."""
    diary: list[str] = []
    witness = Witness()
    policy = RestartPolicy(backoff_s=SOON_S * 10, backoff_max_s=SOON_S * 10)
    root = Supervisor("root", policy=policy, report=witness)
    parrot = root.add("polly", lambda: Parrot("polly", diary), capacity=1)
    async with running(root):
        await parrot.tell(Fail())
        await eventually(lambda: report_of(root, "root/polly").status is Health.BACKING_OFF)

    assert diary == ["polly started", "polly closed"]


async def test_a_paused_actor_is_not_drained():
    """A pause is respected to the end: what is queued is refused, not worked off."""
    diary: list[str] = []
    witness = Witness()
    root = Supervisor("root", report=witness)
    parrot = root.add("polly", lambda: Parrot("polly", diary), capacity=1)
    async with running(root):
        root.pause("root/polly")
        parrot.offer(Note("queued"))

    assert "polly queued" not in diary
    assert [event.messages for event in witness.of(EventKind.ABANDONED)] == [1]


async def test_an_ended_actor_refuses_while_others_still_drain():
    """Whoever waits for it learns so at once, not when the whole tree has ended."""
    gate = Gate()
    root = Supervisor("root")
    first = root.add("first", lambda: Parrot(gate=gate), capacity=1)
    second = root.add("second", Parrot, capacity=1)
    async with running(root):
        first.offer(Hold())
        await gate.reached.wait()
        root.pause("root/second")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_ask_in_vain, second)
            await eventually(lambda: second.depth == 1)
            root.stop()
        gate.opened.set()


async def _ask_in_vain(parrot: Address[Spoken]) -> None:
    with pytest.raises(ActorStopped):
        await parrot.ask(Say("hello"), timeout_s=SOON_S)


async def test_a_child_can_join_a_running_tree():
    """An actor that is added later starts at once."""
    root = Supervisor("root")
    async with running(root):
        parrot = root.add("parrot", Parrot, capacity=1)

        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"


async def test_names_are_unique_and_simple():
    """A path must lead to one child."""
    root = Supervisor("root")
    root.add("parrot", Parrot, capacity=1)

    with pytest.raises(ValueError, match="'parrot' already"):
        root.add_supervisor(Supervisor("parrot"))
    with pytest.raises(ValueError, match="without slashes, not 'a/b'"):
        root.add("a/b", Parrot, capacity=1)
    with pytest.raises(ValueError, match="not ''"):
        root.add("", Parrot, capacity=1)
