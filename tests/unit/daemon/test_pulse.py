"""When the watchdog is fed, and when it is left hungry."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import msgspec
import pytest
from structlog.testing import capture_logs

from engarde_daemon.core import Supervisor
from engarde_daemon.core.health import STUCK_AFTER_S
from engarde_daemon.daemon.pulse import Pulse
from engarde_daemon.daemon.systemd import Systemd
from engarde_daemon.domain.vitals import StoreVitals, Vitals
from tests.support.service_manager import ServiceManager
from tests.unit.core.stage import Clock, Gate, Hold, Parrot, running

WELL = Vitals(postgres=None, staging_limit_bytes=1)


class Scene:
    """A pulse, whoever hears it, and what it is taken of."""

    def __init__(self, manager: ServiceManager) -> None:
        self.manager = manager
        self.systemd = Systemd(manager.address)
        self.pulse = Pulse(self.systemd)
        self.clock = Clock()
        self.vitals = WELL
        self.root = Supervisor("root", clock=self.clock)

    def serve(self) -> None:
        """Say that the daemon serves."""
        self.pulse.serves(
            "127.0.0.1 port 8700", health=self.root.health, vitals=lambda: self.vitals
        )
        self.manager.heard()

    def beat(self) -> list[str]:
        """All lines of one beat."""
        self.pulse.beat_once()
        return [line for message in self.manager.heard() for line in message]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Somebody listens."""
    with ServiceManager(tmp_path / "notify") as manager:
        scene = Scene(manager)
        yield scene
        scene.systemd.close()


def test_ready_is_said_once_everything_runs(scene: Scene):
    """With words for `systemctl status`."""
    scene.pulse.serves("::1 port 8700", health=scene.root.health, vitals=lambda: WELL)

    assert scene.manager.heard() == [["READY=1", "STATUS=serving on ::1 port 8700"]]


def test_before_that_only_time_is_asked_for(scene: Scene):
    """A start may take as long as a migration does."""
    assert scene.beat() == ["EXTEND_TIMEOUT_USEC=15000000"]


def test_after_a_signal_only_time_is_asked_for(scene: Scene):
    """Whoever drains is not killed for it."""
    scene.serve()
    scene.pulse.stops()
    assert scene.manager.heard()[0][0] == "STOPPING=1"

    assert scene.beat() == ["EXTEND_TIMEOUT_USEC=15000000"]


async def test_actors_that_rest_feed_the_watchdog(scene: Scene):
    """However long they have had nothing to do."""
    scene.root.add("parrot", Parrot, capacity=1)
    async with running(scene.root):
        scene.serve()
        scene.clock.now += 10 * STUCK_AFTER_S

        assert scene.beat() == ["WATCHDOG=1"]


async def test_one_actor_that_is_stuck_starves_it(scene: Scene):
    """The rest of the daemon may be as well as it likes; it is named, once."""
    gate = Gate()
    address = scene.root.add("parrot", lambda: Parrot(gate=gate), capacity=1)
    scene.root.add("other", Parrot, capacity=1)
    async with running(scene.root):
        scene.serve()
        await address.tell(Hold())
        with anyio.fail_after(5):
            await gate.reached.wait()
        scene.clock.now += STUCK_AFTER_S + 1

        with capture_logs() as logged:
            assert scene.beat() == ["STATUS=stuck: root/parrot"]
            assert scene.beat() == []

        assert [line["stuck"] for line in logged] == [["root/parrot"]]
        gate.opened.set()


def test_what_keeps_it_from_promising_is_shown(scene: Scene):
    """When it changes, and not with every beat."""
    scene.serve()
    scene.vitals = msgspec.structs.replace(WELL, postgres="PostgreSQL is away")
    away = "STATUS=not ready: PostgreSQL is away"

    assert [scene.beat(), scene.beat()] == [["WATCHDOG=1", away], ["WATCHDOG=1"]]


def test_a_store_that_is_ill_is_shown(scene: Scene):
    """Though the daemon is ready without it."""
    scene.serve()
    ill = StoreVitals(state="failed_over", breaker="open", lasts_s=1, reason="", steps={})
    scene.vitals = msgspec.structs.replace(WELL, stores={"zerodb": ill})

    assert scene.beat()[1] == "STATUS=serving on 127.0.0.1 port 8700; zerodb is failed_over"


async def test_it_beats_twice_as_often_as_the_watchdog_looks(tmp_path: Path):
    """And ends when nobody listens any more."""
    with ServiceManager(tmp_path / "notify") as manager:
        systemd = Systemd(manager.address, watchdog_s=0.02)
        pulse = Pulse(systemd)
        pulse.serves("here", health=Supervisor("root").health, vitals=lambda: WELL)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pulse.beat)
            await manager.until("READY=1")
            await manager.until("WATCHDOG=1")
            await manager.until("WATCHDOG=1")
            systemd.close()
