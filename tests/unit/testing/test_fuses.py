"""What a fuse does: once, at the pass that it names."""

import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.failpoints import Failpoint
from engarde_daemon.testing.faulty.fuses import Fault, Fuse, FuseBox, Harm

NAME = "a.place"


@pytest.fixture
def fuses(tmp_path: Path) -> FuseBox:
    """An empty box."""
    return FuseBox(tmp_path)


@pytest.fixture
def place(fuses: FuseBox) -> Failpoint:
    """A failpoint that looks into the box."""
    point = Failpoint(NAME, "Before; after.")
    fuses.arm([point])
    return point


async def test_without_a_fuse_nothing_happens(place: Failpoint, fuses: FuseBox):
    """However often somebody passes."""
    for _ in range(3):
        await place.reached()

    assert not fuses.burnt(NAME).exists()


async def test_a_fuse_burns_at_its_pass_and_only_once(place: Failpoint, fuses: FuseBox):
    """Those who pass before and after it see nothing."""
    fuses.lay(NAME, Fuse(harm=Harm.RAISE, at_pass=3))
    await place.reached()
    await place.reached()
    with pytest.raises(Unavailable):
        await place.reached()
    await place.reached()

    assert fuses.burnt(NAME).exists()


async def test_passes_are_counted_from_when_the_fuse_was_laid(place: Failpoint, fuses: FuseBox):
    """The second fuse knows nothing of those who met the first."""
    for _ in range(2):
        fuses.lay(NAME, Fuse(harm=Harm.RAISE, at_pass=2))
        await place.reached()
        with pytest.raises(Unavailable):
            await place.reached()


async def test_a_mistake_can_be_raised(place: Failpoint, fuses: FuseBox):
    """One that nobody expects."""
    fuses.lay(NAME, Fuse(harm=Harm.RAISE, fault=Fault.MISTAKE))

    with pytest.raises(RuntimeError):
        await place.reached()


async def test_who_is_held_waits_until_the_burnt_fuse_is_taken_away(
    place: Failpoint, fuses: FuseBox
):
    """And not longer."""
    fuses.lay(NAME, Fuse(harm=Harm.HOLD))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(place.reached)
            while not fuses.burnt(NAME).exists():
                await anyio.lowlevel.checkpoint()
            fuses.burnt(NAME).unlink()


def test_to_die_is_to_be_killed(tmp_path: Path):
    """Nothing is tidied up, nothing is flushed."""
    FuseBox(tmp_path).lay(NAME, Fuse(harm=Harm.DIE))
    program = (
        "import anyio, atexit, pathlib\n"
        "from engarde_daemon.failpoints import Failpoint\n"
        "from engarde_daemon.testing.faulty.fuses import FuseBox\n"
        f"place = Failpoint({NAME!r}, 'Before; after.')\n"
        f"FuseBox(pathlib.Path({str(tmp_path)!r})).arm([place])\n"
        "atexit.register(print, 'tidied up', flush=True)\n"
        "anyio.run(place.reached)\n"
    )

    dead = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert (dead.returncode, dead.stdout) == (-signal.SIGKILL, b"")
