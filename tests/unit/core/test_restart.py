"""What follows a crash: restarts, their limit, and who is taken along."""

from contextlib import AsyncExitStack

import anyio
import pytest

from engarde_daemon.core import (
    ActorCrashed,
    ActorStopped,
    Address,
    EventKind,
    Health,
    Restart,
    RestartLimitReached,
    RestartPolicy,
    Strategy,
    Supervisor,
)
from tests.unit.core.stage import (
    AT_ONCE,
    SOON_S,
    Clock,
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

NEVER = RestartPolicy(intensity=0, backoff_s=0.0)


class Nest(Parrot):
    """A parrot with a background task, which dies when the gate opens."""

    async def started(self, resources: AsyncExitStack) -> None:
        """Start the background task."""
        await super().started(resources)
        tasks = await resources.enter_async_context(anyio.create_task_group())
        resources.callback(tasks.cancel_scope.cancel)
        tasks.start_soon(self.die_at_the_gate)

    async def die_at_the_gate(self) -> None:
        """Wait for the gate and die."""
        await self.gate.pass_through()
        raise ConnectionError("the background died")


def flock(
    strategy: Strategy, diary: list[str], witness: Witness, *, last: Restart = Restart.PERMANENT
) -> tuple[Supervisor, list[Address[Spoken]]]:
    """Three parrots under one supervisor."""
    root = Supervisor("root", strategy, AT_ONCE, report=witness)
    return root, [
        root.add("a", lambda: Parrot("a", diary), capacity=2),
        root.add("b", lambda: Parrot("b", diary), capacity=2),
        root.add("c", lambda: Parrot("c", diary), capacity=2, restart=last),
    ]


async def test_one_for_one_restarts_only_the_crashed():
    """Equals do not suffer for each other."""
    diary: list[str] = []
    witness = Witness()
    root, (_, second, _) = flock(Strategy.ONE_FOR_ONE, diary, witness)
    async with running(root):
        diary.clear()
        await second.tell(Fail())
        await witness.hears(EventKind.STARTED, 5)

        assert diary == ["b closed", "b started"]


async def test_rest_for_one_restarts_the_crashed_and_its_successors():
    """The successors end in reverse before the crashed one is replaced, then start in order."""
    diary: list[str] = []
    witness = Witness()
    root, (_, second, _) = flock(Strategy.REST_FOR_ONE, diary, witness)
    async with running(root):
        diary.clear()
        await second.tell(Fail())
        await witness.hears(EventKind.STARTED, 6)

        assert diary == ["b closed", "c stopping", "c closed", "b started", "c started"]


async def test_one_for_all_restarts_everybody():
    """Who shares one state is replaced together."""
    diary: list[str] = []
    witness = Witness()
    root, (_, second, _) = flock(Strategy.ONE_FOR_ALL, diary, witness)
    async with running(root):
        diary.clear()
        await second.tell(Fail())
        await witness.hears(EventKind.STARTED, 7)

        assert diary == [
            "b closed",
            *("c stopping", "c closed", "a stopping", "a closed"),
            *("a started", "b started", "c started"),
        ]


async def test_a_sibling_taken_along_keeps_its_queue():
    """A restart for another's sake finishes the present message and loses none."""
    diary: list[str] = []
    gate, witness = Gate(), Witness()
    root = Supervisor("root", Strategy.REST_FOR_ONE, AT_ONCE, report=witness)
    first = root.add("a", lambda: Parrot("a", diary), capacity=1)
    second = root.add("b", lambda: Parrot("b", diary, gate), capacity=2)
    async with running(root):
        second.offer(Hold())
        second.offer(Note("kept"))
        await gate.reached.wait()
        await first.tell(Fail())
        await eventually(lambda: report_of(root, "root/b").status is Health.STOPPING)
        gate.opened.set()
        await eventually(lambda: "b kept" in diary)

    assert diary.index("b closed") < diary.index("b kept")


async def test_a_finished_sibling_is_not_taken_along():
    """A child that ended for good does not return because another crashed."""
    diary: list[str] = []
    witness = Witness()
    root, (first, _, third) = flock(Strategy.REST_FOR_ONE, diary, witness, last=Restart.TEMPORARY)
    async with running(root):
        third.close()
        await eventually(lambda: report_of(root, "root/c").status is Health.STOPPED)
        diary.clear()
        await first.tell(Fail())
        await witness.hears(EventKind.STARTED, 6)

        assert diary[-2:] == ["a started", "b started"]


async def test_two_crashes_at_once_are_both_mended():
    """Siblings that crash in the same turn of the loop are handled one after the other."""
    witness = Witness()
    root, (first, _, third) = flock(Strategy.ONE_FOR_ALL, [], witness)
    async with running(root):
        first.offer(Fail())
        third.offer(Fail())
        for address in (first, third):
            assert await address.ask(Say("hello"), timeout_s=SOON_S) == "hello"

    assert len(witness.of(EventKind.CRASHED)) == 2


async def test_an_ask_during_failed_starts_is_answered_when_one_succeeds():
    """The asker waits through two failed starts and is answered on the third."""
    starts = iter([False, False, True])

    class Moody(Parrot):
        async def started(self, resources: AsyncExitStack) -> None:
            await super().started(resources)
            if not next(starts):
                raise ConnectionError("not today")

    diary: list[str] = []
    root = Supervisor("root", policy=AT_ONCE)
    parrot = root.add("polly", lambda: Moody("polly", diary), capacity=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(root.run)
        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"
        root.stop()

    assert diary[:4] == ["polly started", "polly closed"] * 2
    assert report_of(root, "root/polly").last_error == "ConnectionError: not today"


async def test_resources_are_closed_in_reverse_after_a_crash():
    """What was opened last may depend on what was opened first."""
    diary: list[str] = []

    class Opener(Parrot):
        async def started(self, resources: AsyncExitStack) -> None:
            resources.callback(self.write, "closed the first")
            resources.callback(self.write, "closed the second")

    root = Supervisor("root", policy=AT_ONCE)
    parrot = root.add("polly", lambda: Opener("polly", diary), capacity=1)
    async with running(root):
        with pytest.raises(ActorCrashed):
            await parrot.ask(Fail(), timeout_s=SOON_S)
        await parrot.ask(Say("hello"), timeout_s=SOON_S)

        assert diary == ["polly closed the second", "polly closed the first"]


async def test_the_death_of_a_background_task_is_the_actors_crash():
    """The task group's wrapping is taken off, and a successor starts."""
    gate, witness = Gate(), Witness()
    root = Supervisor("root", policy=AT_ONCE, report=witness)
    root.add("nest", lambda: Nest(gate=gate), capacity=1, restart=Restart.TRANSIENT)
    async with running(root):
        await gate.reached.wait()
        gate.opened.set()
        crash = await witness.hears(EventKind.CRASHED)
        gate.opened = anyio.Event()
        await witness.hears(EventKind.STARTED, 3)

    assert (crash.path, repr(crash.error)) == (
        "root/nest",
        "ConnectionError('the background died')",
    )


async def test_errors_that_come_together_stay_together():
    """A group of several errors is not reduced to one of them."""
    witness = Witness()

    class Tangled(Parrot):
        async def receive(self, message: Spoken) -> None:
            raise ExceptionGroup(f"{message}", [ValueError("one"), LookupError("other")])

    root = Supervisor("root", policy=AT_ONCE, report=witness)
    parrot = root.add("parrot", Tangled, capacity=1)
    async with running(root):
        await parrot.tell(Note("anything"))
        crash = await witness.hears(EventKind.CRASHED)

    assert isinstance(crash.error, ExceptionGroup)


async def test_a_background_death_is_told_to_the_present_asker():
    """The request that was at work when the background died is answered with an error."""
    gate, background = Gate(), Gate()

    class BusyNest(Nest):
        async def die_at_the_gate(self) -> None:
            await background.pass_through()
            raise ConnectionError("the background died")

    root = Supervisor("root", policy=NEVER)
    nest = root.add("nest", lambda: BusyNest(gate=gate), capacity=1)

    async def die() -> None:
        await gate.reached.wait()
        background.opened.set()

    with pytest.raises(RestartLimitReached):
        await _run_with(root, die, lambda: _ask_in_vain(nest))


async def _ask_in_vain(nest: Address[Spoken]) -> None:
    with pytest.raises(ActorCrashed, match="root/nest was cut off at Hold"):
        await nest.ask(Hold(), timeout_s=SOON_S)


async def _run_with(root: Supervisor, *others) -> None:
    """Run a tree beside other tasks, and raise what it raises."""
    async with anyio.create_task_group() as tasks:
        for other in others:
            tasks.start_soon(other)
        try:
            await root.run()
        except RestartLimitReached as limit:
            error = limit
    raise error


async def test_the_restart_limit_leaves_run_as_itself():
    """Not wrapped in exception groups, and with the last crash as its cause."""
    root = Supervisor("root", policy=RestartPolicy(intensity=1, period_s=60, backoff_s=0.0))
    parrot = root.add("parrot", Parrot, capacity=2)
    parrot.offer(Fail("first"))
    parrot.offer(Fail("second"))

    with pytest.raises(RestartLimitReached, match="root: more than 1 restarts in 60 s") as limit:
        await root.run()

    assert repr(limit.value.__cause__) == "ValueError('second')"
    assert root.health().status is Health.FAILED


async def test_giving_up_ends_the_children_in_reverse_and_closes_every_address():
    """Nobody may wait for an actor that will never come back."""
    diary: list[str] = []
    root = Supervisor("root", Strategy.REST_FOR_ONE, NEVER)
    first = root.add("a", lambda: Parrot("a", diary), capacity=1)
    root.add("b", lambda: Parrot("b", diary), capacity=1)
    third = root.add("c", lambda: Parrot("c", diary), capacity=2)

    async def crash() -> None:
        await eventually(lambda: "c started" in diary)
        third.offer(Fail())

    with pytest.raises(RestartLimitReached):
        await _run_with(root, crash)

    assert diary[-4:] == ["b stopping", "b closed", "a stopping", "a closed"]
    for address in (first, third):
        with pytest.raises(ActorStopped):
            await address.tell(Note("too late"))


async def test_a_message_left_when_giving_up_is_refused():
    """An asker behind the fatal message learns that nobody is there."""
    root = Supervisor("root", policy=NEVER)
    parrot = root.add("parrot", Parrot, capacity=2)
    parrot.offer(Fail())

    async def ask() -> None:
        with pytest.raises(ActorStopped):
            await parrot.ask(Say("hello"), timeout_s=SOON_S)

    with pytest.raises(RestartLimitReached):
        await _run_with(root, ask)


async def test_old_restarts_are_forgotten():
    """Only those within the period count."""
    clock, witness = Clock(), Witness()
    policy = RestartPolicy(intensity=1, period_s=60.0, backoff_s=0.0)
    root = Supervisor("root", policy=policy, clock=clock, report=witness)
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        for crashes in range(1, 4):
            await parrot.tell(Fail())
            await witness.hears(EventKind.STARTED, 2 + crashes)
            clock.now += 61.0

        assert report_of(root, "root/parrot").restarts == 3


async def test_the_wait_before_a_restart_grows_and_uses_the_given_chance():
    """Each restart within the period doubles the delay; chance and events come from outside."""
    witness = Witness()
    policy = RestartPolicy(backoff_s=0.001, jitter=0.5)
    root = Supervisor("root", policy=policy, random=lambda: 0.5, report=witness)
    parrot = root.add("parrot", Parrot, capacity=2)
    async with running(root):
        parrot.offer(Fail())
        parrot.offer(Fail())
        await witness.hears(EventKind.RESTARTING, 2)

    assert [event.delay_s for event in witness.of(EventKind.RESTARTING)] == [0.00075, 0.0015]


async def test_a_temporary_child_is_not_restarted():
    """Its crash ends it, its address closes, and the tree goes on."""
    root = Supervisor("root")
    parrot = root.add("parrot", Parrot, capacity=2, restart=Restart.TEMPORARY)
    async with running(root):
        with pytest.raises(ActorCrashed):
            await parrot.ask(Fail(), timeout_s=SOON_S)
        with pytest.raises(ActorStopped):
            await parrot.ask(Say("hello"), timeout_s=SOON_S)

        assert report_of(root, "root/parrot").status is Health.FAILED


async def test_a_transient_child_whose_address_is_closed_ends_well():
    """It drains, stops and stays stopped."""
    diary: list[str] = []
    root = Supervisor("root")
    parrot = root.add(
        "polly", lambda: Parrot("polly", diary), capacity=1, restart=Restart.TRANSIENT
    )
    async with running(root):
        parrot.offer(Note("queued"))
        parrot.close()
        await eventually(lambda: report_of(root, "root/polly").status is Health.STOPPED)

        assert diary == ["polly started", "polly queued", "polly stopping", "polly closed"]
        with pytest.raises(ActorStopped):
            parrot.offer(Note("too late"))


async def test_a_permanent_child_whose_address_is_closed_returns():
    """It drains and is replaced, and its address is open again."""
    witness = Witness()
    root = Supervisor("root", policy=AT_ONCE, report=witness)
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        parrot.close()
        await witness.hears(EventKind.STARTED, 3)

        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"


async def test_a_branch_that_gives_up_is_restarted_by_its_parent():
    """The whole branch starts anew, and its addresses still work."""
    witness = Witness()
    root = Supervisor("root", policy=AT_ONCE, report=witness)
    branch = Supervisor("branch", policy=NEVER)
    parrot = branch.add("parrot", Parrot, capacity=1)
    root.add_supervisor(branch)
    sibling = branch.add("sibling", Parrot, capacity=1)
    async with running(root):
        await parrot.tell(Fail())
        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"
        assert await sibling.ask(Say("hello"), timeout_s=SOON_S) == "hello"

        assert report_of(root, "root/branch").restarts == 1
    assert {event.path for event in witness.of(EventKind.CRASHED)} == {
        "root/branch",
        "root/branch/parrot",
    }


async def test_a_restarted_branch_has_a_clean_slate():
    """Neither crashes nor restarts of its last life count against the new one."""
    witness = Witness()
    root = Supervisor("root", policy=AT_ONCE, report=witness)
    branch = Supervisor("branch", policy=RestartPolicy(intensity=1, backoff_s=0.0))
    parrots = [branch.add(name, Parrot, capacity=2) for name in "abc"]
    root.add_supervisor(branch)
    async with running(root):
        for parrot in parrots:
            parrot.offer(Fail())
        for parrot in parrots:
            await parrot.ask(Say("hello"), timeout_s=SOON_S)
        await parrots[0].tell(Fail())
        await parrots[0].ask(Say("hello"), timeout_s=SOON_S)

        assert report_of(root, "root/branch").restarts == 1


async def test_a_branch_taken_along_keeps_its_queues():
    """For another's sake even a whole branch finishes only its present messages."""
    diary: list[str] = []
    gate = Gate()
    root = Supervisor("root", Strategy.REST_FOR_ONE, AT_ONCE)
    first = root.add("a", lambda: Parrot("a", diary), capacity=1)
    branch = Supervisor("branch")
    root.add_supervisor(branch)
    inside = branch.add("b", lambda: Parrot("b", diary, gate), capacity=2)
    async with running(root):
        inside.offer(Hold())
        inside.offer(Note("kept"))
        await gate.reached.wait()
        await first.tell(Fail())
        await eventually(lambda: report_of(root, "root/branch/b").status is Health.STOPPING)
        gate.opened.set()
        await eventually(lambda: "b kept" in diary)

    assert diary.index("b closed") < diary.index("b kept")


async def test_giving_up_goes_through_to_the_top():
    """If the parent has no restart left, the root raises, with the whole chain as cause."""
    root = Supervisor("root", policy=NEVER)
    branch = Supervisor("branch", policy=NEVER)
    parrot = branch.add("parrot", Parrot, capacity=1)
    root.add_supervisor(branch)
    parrot.offer(Fail("broken"))

    with pytest.raises(RestartLimitReached, match=r"^root: ") as limit:
        await root.run()

    assert str(limit.value.__cause__).startswith("root/branch: ")
    assert limit.value.__cause__ is not None
    assert repr(limit.value.__cause__.__cause__) == "ValueError('broken')"


async def test_a_temporary_branch_that_gives_up_closes_its_addresses():
    """The tree goes on without it."""
    root = Supervisor("root")
    branch = Supervisor("branch", policy=NEVER)
    parrot = branch.add("parrot", Parrot, capacity=1)
    sibling = branch.add("sibling", Parrot, capacity=1)
    root.add_supervisor(branch, restart=Restart.TEMPORARY)
    async with running(root):
        await parrot.tell(Fail())
        await eventually(lambda: report_of(root, "root/branch").status is Health.FAILED)
        with pytest.raises(ActorStopped):
            await sibling.ask(Say("too late"), timeout_s=SOON_S)

        assert root.health().status is Health.RUNNING


async def test_a_cancellation_during_a_restart_is_still_orderly():
    """Cancelled while it waits for a sibling to end, the supervisor ends all of them."""
    diary: list[str] = []
    gate = Gate()
    root = Supervisor("root", Strategy.REST_FOR_ONE, AT_ONCE)
    root.add("a", lambda: Parrot("a", diary), capacity=1)
    second = root.add("b", lambda: Parrot("b", diary), capacity=1)
    third = root.add("c", lambda: Parrot("c", diary, gate), capacity=1)
    async with anyio.create_task_group() as tasks:
        await tasks.start(root.run)
        third.offer(Hold())
        await gate.reached.wait()
        second.offer(Fail())
        await eventually(lambda: report_of(root, "root/c").status is Health.STOPPING)
        tasks.cancel_scope.cancel()
        gate.opened.set()

    assert diary[3:] == ["b closed", "c stopping", "c closed", "a stopping", "a closed"]
