"""How late the loop comes, on a clock that is moved by hand."""

import anyio
import pytest

from engarde_daemon.daemon import lag
from engarde_daemon.daemon.lag import LOOKS_KEPT, LoopLag


class Clock:
    """Gives these times, then the last one for ever."""

    def __init__(self, *times: float) -> None:
        self._times = list(times)
        self.asked_up = anyio.Event()

    def __call__(self) -> float:
        """The next time."""
        if len(self._times) == 1:
            self.asked_up.set()
            return self._times[0]
        return self._times.pop(0)


async def lag_of(monkeypatch: pytest.MonkeyPatch, *times: float) -> float:
    """What is read after looks at these times, two for each look."""
    monkeypatch.setattr(lag, "LOOK_EVERY_S", 0.0)
    clock = Clock(*times)
    watched = LoopLag(clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watched.watch)
        with anyio.fail_after(5):
            await clock.asked_up.wait()
        tasks.cancel_scope.cancel()
    return watched.read()


async def test_the_longest_of_the_last_looks_counts(monkeypatch: pytest.MonkeyPatch):
    """So that a hiccup between two scrapes is seen."""
    assert await lag_of(monkeypatch, 0, 0.1, 1, 3, 5, 5.2, 6) == 2


async def test_an_old_one_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    """After half a minute."""
    later = [float(second) for second in range(10, 11 + LOOKS_KEPT) for _ in range(2)]

    assert await lag_of(monkeypatch, 0, 9, *later) == 0


def test_before_the_first_look_nothing_is_late():
    """A scrape may come at once."""
    assert LoopLag(lambda: 0.0).read() == 0
