"""Fuses: what shall happen at a failpoint, laid and taken away while the daemon runs.

Owns the protocol between a test and the daemon it harms. A fuse is a file with the failpoint's name
in a folder that both know. It burns once: before it does what it says, it is renamed, so that a
daemon that died of it starts again without it, and that a test can see that the place was reached.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import partial
from pathlib import Path

import anyio
import msgspec

from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.failpoints import Failpoint

LOOK_S = 0.01


class Harm(Enum):
    """What a fuse can do."""

    DIE = "die"
    """The process ends as by `kill -9`."""
    RAISE = "raise"
    """The place raises an error."""
    HOLD = "hold"
    """Whoever is there waits until the burnt fuse is taken away."""


class Fault(Enum):
    """What a place can raise."""

    UNAVAILABLE = "unavailable"
    """A store does not answer, which everybody must expect."""
    MISTAKE = "mistake"
    """Something that nobody expected: the actor is started again."""


_ERRORS: Mapping[Fault, Callable[[], Exception]] = {
    Fault.UNAVAILABLE: partial(Unavailable, "A fuse burnt here."),
    Fault.MISTAKE: partial(RuntimeError, "A fuse burnt here."),
}


class Fuse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall happen, and when the place is passed for which time."""

    harm: Harm
    at_pass: int = 1
    fault: Fault = Fault.UNAVAILABLE


class FuseBox:
    """The fuses in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._passes: Counter[str] = Counter()

    def lay(self, name: str, fuse: Fuse) -> None:
        """Have something happen at a failpoint; a daemon sees it at the next pass."""
        half = self._folder / f"{name}.half"
        half.write_bytes(msgspec.json.encode(fuse))
        half.replace(self._folder / name)

    def burnt(self, name: str) -> Path:
        """Where a fuse lies that has burnt; who is held goes on when it is taken away."""
        return self._folder / f"{name}.burnt"

    def arm(self, points: Iterable[Failpoint]) -> None:
        """Have each of these failpoints look for its fuse from now on."""
        for point in points:
            point.reached = partial(self._reach, point.name)

    async def _reach(self, name: str) -> None:
        fuse = self._due(name)
        if fuse is None:
            return
        if fuse.harm is Harm.DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        elif fuse.harm is Harm.RAISE:
            error = _ERRORS[fuse.fault]()
            raise error
        else:
            await self._wait(self.burnt(name))

    def _due(self, name: str) -> Fuse | None:
        """The fuse that burns at this pass, if one does."""
        lying = self._folder / name
        if not lying.exists():
            return None
        self._passes[name] += 1
        fuse = msgspec.json.decode(lying.read_bytes(), type=Fuse)
        if self._passes[name] < fuse.at_pass:
            return None
        del self._passes[name]
        lying.replace(self.burnt(name))
        return fuse

    async def _wait(self, burnt: Path) -> None:
        while self._lies(burnt):
            await anyio.sleep(LOOK_S)

    def _lies(self, burnt: Path) -> bool:
        return burnt.exists()
