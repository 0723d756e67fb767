"""Readers that wait together are answered together."""

from collections.abc import Sequence

import anyio
import pytest

from engarde_daemon.adapters.coalescing import Coalesced


class Answers(list[str | ValueError]):
    """What those who asked were given, in the order it came."""

    def texts(self) -> list[str]:
        """The answers as sorted texts."""
        return sorted(map(str, self))


class Oracle:
    """Answers when it is allowed to, and remembers what it was asked at once."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.begun: list[anyio.Event] = []
        self.gates: list[anyio.Event] = []
        self.error: Exception | None = None
        self.closed = True

    async def answer(self, questions: Sequence[int]) -> list[str]:
        """Answer all of them, once allowed to."""
        self.asked.append(list(questions))
        gate = anyio.Event()
        self.gates.append(gate)
        if self.closed:
            await gate.wait()
        if self.error is not None:
            raise self.error
        return [f"answer {question}" for question in questions]

    def open(self) -> None:
        """Allow every answer."""
        self.closed = False
        for gate in self.gates:
            gate.set()


@pytest.fixture
def oracle() -> Oracle:
    """An oracle that waits to be allowed."""
    return Oracle()


def asking(
    oracle: Oracle, *, lanes: int = 1, most: int = 10, patience_s: float = 60.0
) -> Coalesced[int, str]:
    """Somewhere to ask that oracle."""
    return Coalesced(oracle.answer, lanes=lanes, most=most, patience_s=patience_s)


async def ask_all(
    coalesced: Coalesced[int, str], questions: Sequence[int], answers: Answers
) -> None:
    """Ask one after the other, without waiting for answers, until all are under way."""

    async def ask(question: int) -> None:
        try:
            answers.append(await coalesced.ask(question))
        except ValueError as error:
            answers.append(error)

    async with anyio.create_task_group() as tasks:
        for question in questions:
            tasks.start_soon(ask, question)


async def test_an_error_reaches_everyone_of_its_round_trip(oracle: Oracle):
    """And the next question is asked as if nothing had been."""
    coalesced, answers = asking(oracle), Answers()
    oracle.closed, oracle.error = False, ValueError("no")

    await ask_all(coalesced, [1, 2, 3], answers)
    oracle.error = None

    assert [type(answer) for answer in answers] == [ValueError] * 3
    assert await coalesced.ask(4) == "answer 4"


async def test_nobody_waits_for_an_oracle_that_is_silent(oracle: Oracle):
    """Neither who asks for all, nor who is in a round trip, nor who waits for one."""
    coalesced = asking(oracle, most=2, patience_s=0.05)

    async def ask(question: int) -> None:
        with pytest.raises(TimeoutError):
            await coalesced.ask(question)

    async with anyio.create_task_group() as tasks:
        for question in range(4):
            tasks.start_soon(ask, question)
    oracle.open()

    assert await coalesced.ask(4) == "answer 4"


async def test_a_lone_question_is_asked_at_once(oracle: Oracle):
    """Nobody waits for company."""
    oracle.closed = False

    assert await asking(oracle).ask(7) == "answer 7"
    assert oracle.asked == [[7]]


async def test_whoever_comes_meanwhile_goes_together(oracle: Oracle):
    """In the order they came, equal questions once."""
    coalesced, answers = asking(oracle), Answers()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_all, coalesced, [1, 2, 3, 2], answers)
        await anyio.wait_all_tasks_blocked()
        oracle.open()

    assert oracle.asked == [[1], [2, 3]]
    assert answers.texts() == ["answer 1", "answer 2", "answer 2", "answer 3"]


async def test_a_round_trip_is_bounded(oracle: Oracle):
    """What does not fit goes into the next."""
    coalesced, answers = asking(oracle, most=2), Answers()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_all, coalesced, range(6), answers)
        await anyio.wait_all_tasks_blocked()
        oracle.open()

    assert oracle.asked == [[0], [1, 2], [3, 4], [5]]


async def test_lanes_are_under_way_at_the_same_time(oracle: Oracle):
    """And no more than there are."""
    coalesced, answers = asking(oracle, lanes=2), Answers()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_all, coalesced, range(5), answers)
        await anyio.wait_all_tasks_blocked()
        under_way = list(oracle.asked)
        oracle.open()

    assert under_way == [[0], [1]]
    assert answers.texts() == [f"answer {n}" for n in range(5)]


async def test_a_question_never_joins_a_round_trip_that_began_before_it(oracle: Oracle):
    """It might answer with what was true before the asker's own write."""
    coalesced, answers = asking(oracle), Answers()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_all, coalesced, [1], answers)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(ask_all, coalesced, [1], answers)
        await anyio.wait_all_tasks_blocked()
        oracle.open()

    assert oracle.asked == [[1], [1]]


async def test_a_leader_that_gives_up_leaves_nobody_behind(oracle: Oracle):
    """Those who were in its round trip are asked for again."""
    coalesced, answers = asking(oracle), Answers()
    async with anyio.create_task_group() as tasks:
        leader = anyio.CancelScope()

        async def lead() -> None:
            with leader:
                await coalesced.ask(0)

        tasks.start_soon(lead)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(ask_all, coalesced, [1, 2], answers)
        await anyio.wait_all_tasks_blocked()
        leader.cancel()
        await anyio.wait_all_tasks_blocked()
        oracle.open()

    assert answers.texts() == ["answer 1", "answer 2"]
    assert await coalesced.ask(3) == "answer 3"


async def test_one_who_gives_up_waiting_is_not_asked_for(oracle: Oracle):
    """And does not take the lane along."""
    coalesced, answers = asking(oracle), Answers()
    async with anyio.create_task_group() as tasks:
        waiter = anyio.CancelScope()

        async def wait() -> None:
            with waiter:
                await coalesced.ask(1)

        tasks.start_soon(ask_all, coalesced, [0], answers)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        waiter.cancel()
        await anyio.wait_all_tasks_blocked()
        oracle.open()

    assert oracle.asked == [[0]]
    assert await coalesced.ask(2) == "answer 2"


async def test_many_askers_who_give_up_at_random_lose_nobody(oracle: Oracle):
    """Whatever the order, whoever stays is answered and the lanes are free at the end."""
    coalesced, answers = asking(oracle, lanes=2, most=3), Answers()
    async with anyio.create_task_group() as tasks:
        scopes = [anyio.CancelScope() for _ in range(40)]

        async def ask(number: int) -> None:
            with scopes[number]:
                answers.append(await coalesced.ask(number))

        for number in range(40):
            tasks.start_soon(ask, number)
        await anyio.wait_all_tasks_blocked()
        for scope in scopes[::3]:
            scope.cancel()
        await anyio.wait_all_tasks_blocked()
        oracle.open()

    stayed = [number for number in range(40) if number % 3]
    assert answers.texts() == sorted(f"answer {number}" for number in stayed)
    assert [await coalesced.ask(n) for n in (50, 51)] == ["answer 50", "answer 51"]
