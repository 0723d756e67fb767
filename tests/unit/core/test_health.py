"""What health shows, and what an operator can do about it."""

import json

import anyio
import msgspec
import pytest

from engarde_daemon.core import (
    ActorCrashed,
    EventKind,
    Health,
    Restart,
    RestartPolicy,
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
    Witness,
    eventually,
    report_of,
    running,
)


async def test_health_before_the_start():
    """A tree that nobody runs yet says so, and its heartbeats are as old as the tree."""
    clock = Clock()
    root = Supervisor("root", clock=clock)
    root.add("parrot", Parrot, capacity=1)
    clock.now += 2.0

    assert [(report.status, report.heartbeat_age_s) for report in root.health().walk()] == [
        (Health.WAITING, 2.0)
    ] * 2


async def test_health_is_a_tree_with_paths():
    """Every place is named by the way that leads to it, parents first."""
    root = Supervisor("root")
    branch = Supervisor("branch")
    root.add_supervisor(branch)
    branch.add("parrot", Parrot, capacity=1)
    root.add("last", Parrot, capacity=1)

    assert [report.path for report in root.health().walk()] == [
        "root",
        "root/branch",
        "root/branch/parrot",
        "root/last",
    ]


async def test_a_branch_built_first_takes_over_the_roots_surroundings():
    """Clock and report reach actors that were added before their branch joined the tree."""
    clock, witness = Clock(), Witness()
    branch = Supervisor("branch")
    parrot = branch.add("parrot", Parrot, capacity=1)
    root = Supervisor("root", clock=clock, report=witness)
    root.add_supervisor(branch)
    parrot.offer(Note("queued"))
    clock.now += 5.0

    assert report_of(root, "root/branch/parrot").oldest_message_age_s == 5.0
    async with running(root):
        pass
    assert "root/branch/parrot" in {event.path for event in witness.of(EventKind.STARTED)}


async def test_an_actor_that_is_stuck_becomes_visible():
    """Time at one message shows in `busy_s` and makes the heartbeat old."""
    clock, gate = Clock(), Gate()
    root = Supervisor("root", clock=clock)
    parrot = root.add("parrot", lambda: Parrot(gate=gate), capacity=2)
    async with running(root):
        parrot.offer(Hold())
        await gate.reached.wait()
        parrot.offer(Note("behind"))
        clock.now += 7.0
        stuck = report_of(root, "root/parrot")
        gate.opened.set()
        await eventually(lambda: report_of(root, "root/parrot").processed == 2)
        clock.now += 7.0
        idle = report_of(root, "root/parrot")

    assert (stuck.busy_s, stuck.heartbeat_age_s, stuck.processed) == (7.0, 7.0, 0)
    assert (stuck.depth, stuck.capacity, stuck.oldest_message_age_s) == (1, 2, 7.0)
    assert (idle.busy_s, idle.heartbeat_age_s, idle.oldest_message_age_s) == (0.0, 0.0, 0.0)


async def test_a_heartbeat_ages_while_nothing_runs():
    """A child that ended gives no sign of life."""
    clock = Clock()
    root = Supervisor("root", clock=clock)
    parrot = root.add("parrot", Parrot, capacity=1, restart=Restart.TEMPORARY)
    async with running(root):
        await parrot.tell(Fail())
        await eventually(lambda: report_of(root, "root/parrot").status is Health.FAILED)
        clock.now += 9.0

        assert report_of(root, "root/parrot").heartbeat_age_s == 9.0
        assert root.health().heartbeat_age_s == 0.0


async def test_health_counts_those_who_wait_for_room():
    """Back-pressure is visible before anybody times out."""
    gate = Gate()
    root = Supervisor("root")
    parrot = root.add("parrot", lambda: Parrot(gate=gate), capacity=1)
    async with running(root), anyio.create_task_group() as tasks:
        parrot.offer(Hold())
        await gate.reached.wait()
        parrot.offer(Note("queued"))
        tasks.start_soon(parrot.tell, Note("waiting"))
        await eventually(lambda: parrot.waiting == 1)

        assert report_of(root, "root/parrot").waiting == 1
        gate.opened.set()


async def test_the_last_error_is_bounded():
    """An error's text may be of any length; what health shows is not."""
    root = Supervisor("root", policy=AT_ONCE)
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        with pytest.raises(ActorCrashed):
            await parrot.ask(Fail("x" * 10_000), timeout_s=SOON_S)
        await parrot.ask(Say("hello"), timeout_s=SOON_S)
        last_error = report_of(root, "root/parrot").last_error

    assert last_error == ("ValueError: " + "x" * 300)[:300]


async def test_health_can_be_sent():
    """The structure is plain data, ready for the health endpoint."""
    root = Supervisor("root")
    root.add("parrot", Parrot, capacity=3)

    sent = json.loads(msgspec.json.encode(root.health()))

    assert (sent["children"][0]["path"], sent["children"][0]["status"]) == (
        "root/parrot",
        "waiting",
    )


async def test_a_paused_actor_takes_nothing_and_loses_nothing():
    """Its mailbox fills up, health says PAUSED, and resume works it off."""
    diary: list[str] = []
    witness = Witness()
    root = Supervisor("root", report=witness)
    parrot = root.add("polly", lambda: Parrot("polly", diary), capacity=1)
    async with running(root):
        root.pause("root/polly")
        parrot.offer(Note("queued"))
        await eventually(lambda: report_of(root, "root/polly").status is Health.PAUSED)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        assert diary == ["polly started"]
        root.resume("root/polly")
        await eventually(lambda: "polly queued" in diary)

        assert report_of(root, "root/polly").status is Health.RUNNING
    assert [event.kind for event in witness.events if event.kind in {"paused", "resumed"}] == [
        EventKind.PAUSED,
        EventKind.RESUMED,
    ]


async def test_an_actor_sees_that_it_is_paused():
    """So that long work can end between two pieces; one that is in no tree is not."""
    parrots: list[Parrot] = []

    def make() -> Parrot:
        parrots.append(Parrot("polly", []))
        return parrots[-1]

    root = Supervisor("root")
    root.add("polly", make, capacity=1)
    seen = [Parrot("polly", []).is_paused]
    async with running(root):
        seen.append(parrots[0].is_paused)
        root.pause("root/polly")
        seen.append(parrots[0].is_paused)
        root.resume("root/polly")
        seen.append(parrots[0].is_paused)

    assert seen == [False, False, True, False]


async def test_a_pause_before_the_start_does_not_hide_the_status():
    """Only who would otherwise run is shown as paused."""
    root = Supervisor("root")
    root.add("parrot", Parrot, capacity=1)

    root.pause("root/parrot")

    assert report_of(root, "root/parrot").status is Health.WAITING


async def test_a_pause_survives_a_restart():
    """What an operator stopped does not go on because it was replaced."""
    witness = Witness()
    root = Supervisor("root", report=witness)
    root.add("parrot", Parrot, capacity=1)
    async with running(root):
        root.pause("root/parrot")
        root.restart("root/parrot")
        await witness.hears(EventKind.STARTED, 3)

        assert report_of(root, "root/parrot").status is Health.PAUSED


async def test_an_operator_can_restart_an_actor_at_no_charge():
    """It is replaced after its present message; neither count nor limit know of it."""
    diary: list[str] = []
    witness = Witness()
    root = Supervisor("root", report=witness)
    parrot = root.add("polly", lambda: Parrot("polly", diary), capacity=1)
    async with running(root):
        root.restart("root/polly")
        await witness.hears(EventKind.STARTED, 3)

        assert diary == ["polly started", "polly stopping", "polly closed", "polly started"]
        assert report_of(root, "root/polly").restarts == 0
        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"


async def test_an_operator_need_not_wait_for_the_backoff():
    """A restart on request comes at once, however long the kernel would have waited."""
    witness = Witness()
    policy = RestartPolicy(backoff_s=SOON_S * 10, backoff_max_s=SOON_S * 10)
    root = Supervisor("root", policy=policy, report=witness)
    parrot = root.add("parrot", Parrot, capacity=1)
    async with running(root):
        await parrot.tell(Fail())
        await eventually(lambda: report_of(root, "root/parrot").status is Health.BACKING_OFF)
        root.restart("root/parrot")

        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"


async def test_an_operator_can_restart_a_branch():
    """All of its actors are replaced, and its neighbours are not."""
    diary: list[str] = []
    witness = Witness()
    root = Supervisor("root", report=witness)
    branch = Supervisor("branch")
    root.add_supervisor(branch)
    branch.add("inside", lambda: Parrot("inside", diary), capacity=1)
    root.add("outside", lambda: Parrot("outside", diary), capacity=1)
    async with running(root):
        diary.clear()
        root.restart("root/branch")
        await witness.hears(EventKind.STARTED, 6)

        assert diary == ["inside stopping", "inside closed", "inside started"]


async def test_an_operator_can_revive_what_has_ended():
    """A temporary actor that failed starts again, with its address open."""
    root = Supervisor("root")
    branch = Supervisor("branch")
    root.add_supervisor(branch)
    parrot = branch.add("parrot", Parrot, capacity=1, restart=Restart.TEMPORARY)
    async with running(root):
        await parrot.tell(Fail())
        await eventually(lambda: report_of(root, "root/branch/parrot").status is Health.FAILED)
        root.restart("root/branch/parrot")
        await eventually(lambda: report_of(root, "root/branch/parrot").status is Health.RUNNING)

        assert await parrot.ask(Say("hello"), timeout_s=SOON_S) == "hello"


async def test_a_wrong_path_names_the_right_ones():
    """An operator's typing error is answered with what there is."""
    root = Supervisor("root")
    root.add("parrot", Parrot, capacity=1)
    root.add_supervisor(Supervisor("branch"))

    with pytest.raises(LookupError, match="no 'root/carrot'; root has root/parrot, root/branch"):
        root.pause("root/carrot")
    with pytest.raises(LookupError, match="'root/branch' is a supervisor"):
        root.resume("root/branch")
    with pytest.raises(LookupError, match="no 'root/parrot/feather'"):
        root.pause("root/parrot/feather")
    with pytest.raises(LookupError, match="no 'root/branch/parrot'"):
        root.restart("root/branch/parrot")
