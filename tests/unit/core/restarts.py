"""A supervisor whose actors crash at random times, and what its policy says about that.

The judgement is made from the times of the crashes alone, and by counting anew each time.
"""

import asyncio
import random
from collections.abc import Sequence

import anyio

from engarde_daemon.core import (
    EventKind,
    KernelEvent,
    RestartLimitReached,
    RestartPolicy,
    Supervisor,
)
from tests.unit.core.stage import Fail, Parrot

LATE_S = 1e-6


class Crashes:
    """One run under a random policy."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(f"crashes {seed}")
        self.policy = RestartPolicy(
            intensity=chance.randint(0, 4),
            period_s=chance.choice((1.0, 5.0, 20.0)),
            backoff_s=chance.choice((0.0, 0.5, 2.0)),
            backoff_max_s=3.0,
            jitter=0.0,
        )
        self._names = [str(number) for number in range(chance.randint(1, 3))]
        self._pauses = [chance.choice((0.0, 1.0, 5.0)) for _ in range(8)]
        self._victims = [chance.choice(self._names) for _ in self._pauses]
        self.told: list[tuple[float, KernelEvent]] = []
        self.gave_up = False

    async def live(self) -> None:
        """Let actors crash one after the other, each as soon as it is well again."""
        clock = asyncio.get_running_loop().time
        root = Supervisor(
            "root",
            policy=self.policy,
            clock=clock,
            report=lambda event: self.told.append((clock(), event)),
        )
        addresses = {name: root.add(name, Parrot, capacity=10) for name in self._names}
        async with anyio.create_task_group() as everybody:
            everybody.start_soon(self._run, root)
            for pause_s, victim in zip(self._pauses, self._victims, strict=True):
                await anyio.sleep(pause_s)
                if not self.gave_up:
                    addresses[victim].offer(Fail())
            await anyio.sleep(1000)
            root.stop()

    async def _run(self, root: Supervisor) -> None:
        try:
            await root.run()
        except RestartLimitReached:
            self.gave_up = True

    def judge(self) -> None:
        """Check that it gave up at the crash at which the policy says so, and at no other.

        Raises:
            AssertionError: It did not.
        """
        crashes = self._of(EventKind.CRASHED, "root/")
        restarts = self._of(EventKind.RESTARTING, "root/")
        crowded = [
            number
            for number, (at, _) in enumerate(crashes)
            if self._recent(crashes[: number + 1], at) > self.policy.intensity
        ]
        assert self.gave_up == bool(crowded), f"{len(crashes)} crashes under {self.policy}"
        expected = crowded[0] if crowded else len(crashes)
        assert len(restarts) == expected, f"{len(restarts)} restarts instead of {expected}"
        for at, restart in restarts:
            self._judge_delay(crashes, at, restart)

    def _judge_delay(
        self, crashes: Sequence[tuple[float, KernelEvent]], at: float, restart: KernelEvent
    ) -> None:
        own = [crash for crash in crashes if crash[1].path == restart.path and crash[0] <= at]
        attempt = self._recent(own, at)
        delay_s = min(self.policy.backoff_s * 2 ** (attempt - 1), self.policy.backoff_max_s)
        assert restart.delay_s == delay_s, f"{restart.delay_s} s at attempt {attempt}"
        later = self.told[self.told.index((at, restart)) + 1 :]
        next_at, next_ = next((one for one in later if one[1].path == restart.path), (at, None))
        if next_ is None or next_.kind is EventKind.STOPPED:
            assert self.gave_up, "never started again"
        else:
            assert abs(next_at - at - delay_s) < LATE_S, "not started after its delay"

    def _recent(self, crashes: Sequence[tuple[float, KernelEvent]], now: float) -> int:
        return sum(now - at <= self.policy.period_s for at, _ in crashes)

    def _of(self, kind: EventKind, path: str) -> list[tuple[float, KernelEvent]]:
        return [one for one in self.told if one[1].kind is kind and one[1].path.startswith(path)]
