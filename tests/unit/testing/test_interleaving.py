"""The loop whose seed chooses who goes on, and whose time costs nothing."""

from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from engarde_daemon.testing.interleaving import Deadlock, replay

SEEDS = range(40)


async def race() -> str:
    """Three that write down their names, and are cut off an hour later."""
    order: list[str] = []

    async def write(name: str) -> None:
        try:
            with anyio.CancelScope():
                order.append(name)
                await anyio.lowlevel.checkpoint()
                order.append(name)
                await anyio.sleep(7200)
        finally:
            order.append(name.upper())

    async with anyio.create_task_group() as writers:
        for name in "abc":
            writers.start_soon(write, name)
        await anyio.sleep(3600)
        writers.cancel_scope.cancel()
    return "".join(order)


def test_seeds_differ_and_each_gives_the_same_again():
    """What happens and what is cut off, in which order, follows from the seed alone."""
    first, again = ([replay(race, seed=seed) for seed in SEEDS] for _ in range(2))

    assert first == again
    assert len(set(first)) > len(SEEDS) / 2


def test_time_jumps_to_the_next_timer():
    """Sleepers wake in the order of their times, which cost next to nothing."""

    async def sleep() -> list[tuple[str, float]]:
        woken: list[tuple[str, float]] = []

        async def sleep_for(name: str, delay_s: float) -> None:
            await anyio.sleep(delay_s)
            woken.append((name, anyio.current_time()))

        async with anyio.create_task_group() as sleepers:
            sleepers.start_soon(sleep_for, "a year", 365 * 86400.0)
            sleepers.start_soon(sleep_for, "a blink", 0.1)
        return woken

    assert replay(sleep, seed=1) == [("a blink", 0.1), ("a year", pytest.approx(365 * 86400))]


def test_a_lost_wake_up_is_a_deadlock_and_not_a_hang():
    """The error names the seed."""

    async def wait() -> None:
        await anyio.Event().wait()

    with pytest.raises(Deadlock) as stuck:
        replay(wait, seed=7)

    assert stuck.value.__notes__ == ["in the interleaving of seed 7"]


def test_what_is_due_at_the_same_time_happens_in_either_order():
    """A sleeper and his deadline race, and who was cancelled is not woken as well."""

    async def sleep() -> bool:
        with anyio.move_on_after(1):
            await anyio.sleep(1)
            return True
        return False

    assert {replay(sleep, seed=seed) for seed in SEEDS} == {False, True}


def test_an_interleaving_that_overdraws_is_found():
    """Two who look before they take: asyncio's own order never shows it, some seed does."""

    async def overdraw() -> int:
        balance = 100

        async def withdraw() -> None:
            nonlocal balance
            seen = balance
            if seen >= 80:
                await anyio.lowlevel.checkpoint()
                balance -= 80

        async def withdraw_later() -> None:
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            await withdraw()

        async with anyio.create_task_group() as callers:
            callers.start_soon(withdraw)
            callers.start_soon(withdraw_later)
        return balance

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(anyio.run, overdraw).result() == 20
    assert {replay(overdraw, seed=seed) for seed in SEEDS} == {20, -60}


def test_each_step_can_be_looked_at():
    """What the look finds wrong ends the run."""
    steps: list[int] = []

    def look() -> None:
        steps.append(1)
        if len(steps) == 5:
            raise AssertionError("harm")

    with pytest.raises(AssertionError, match="harm"):
        replay(race, seed=1, after_step=look)
