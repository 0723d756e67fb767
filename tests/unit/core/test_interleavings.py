"""The kernel's promises in hundreds of interleavings, each of them named by its seed.

The mutants are mistakes that someone could make in the kernel: what finds none of them proves
nothing. A failure names its seed, and `replay` plays it again.
"""

import os
from asyncio import InvalidStateError
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from engarde_daemon.core import Address
from engarde_daemon.core.child import ActorChild, Child
from engarde_daemon.core.mailbox import Envelope, Mailbox
from engarde_daemon.core.supervisor import Supervisor
from engarde_daemon.testing.interleaving import Deadlock, replay
from tests.unit.core.restarts import Crashes
from tests.unit.core.world import World

HARM = (AssertionError, ExceptionGroup, TimeoutError, InvalidStateError, Deadlock)
CHARGE = Supervisor._charge
LONG = "ENGARDE_FAULTS_LONG" in os.environ
SEEDS = 3_000 if LONG else 120

pytestmark = pytest.mark.timeout(600 if LONG else 300)


def explore(*ends: bool) -> None:
    """Judge a world in every interleaving, with an early end or not."""
    for seed, ends_early in product(range(SEEDS), ends):
        world = World(seed, ends_early=ends_early)
        replay(world.live, seed=seed, after_step=world.look)
        world.judge()


def count_crashes() -> None:
    """Compare a supervisor's patience with its policy in every interleaving."""
    for seed in range(SEEDS):
        crashes = Crashes(seed)
        replay(crashes.live, seed=seed)
        crashes.judge()


def test_nothing_is_lost_doubled_or_overtaken():
    """Through crashes, restarts, pauses, deadlines, cancellation and full mailboxes."""
    explore(False)


def test_a_stop_at_any_time_ends_everything_and_answers_everybody():
    """Politely or not, within the grace that each actor has."""
    explore(True)


def test_restarts_are_as_many_and_as_late_as_the_policy_says():
    """Not one more within any period, not one fewer, and each after its exact delay."""
    count_crashes()


def forgetful(mailbox: Mailbox[Any]) -> None:
    """Lose what the last actor left."""
    mailbox._queue.clear()
    mailbox._closed = mailbox._halted = False


def greedy(mailbox: Mailbox[Any]) -> None:
    """Let in everybody who waits, however many there are."""
    while mailbox._waiting:
        envelope, signal = mailbox._waiting.popitem(last=False)
        if not signal.done():
            mailbox._queue.append(envelope)
            if envelope.reply is None:
                signal.set_result(None)


def sleepy(mailbox: Address[Any]) -> None:
    """Wake an actor only for its first message."""
    if len(mailbox._queue) == 1 and mailbox._alarm and not mailbox._alarm.done():
        mailbox._alarm.set_result(None)


def impolite(mailbox: Address[Any]) -> None:
    """Close without a word to whoever waits for room."""
    mailbox._closed = True
    mailbox._wake()


def hasty(envelope: Envelope[Any], answer: object) -> None:
    """Answer whoever was answered already."""
    if envelope.reply is not None:
        envelope.reply.set_result(answer)


def careless(child: ActorChild) -> None:
    """End for good, and leave what is queued."""
    child.mailbox.close()


def generous(supervisor: Supervisor, child: Child) -> None:
    """Allow one restart more than the policy."""
    if len(supervisor._recent_restarts) > 1:
        supervisor._recent_restarts.popleft()
    CHARGE(supervisor, child)


def impatient(supervisor: Supervisor, child: Child) -> None:
    """Restart at once."""
    CHARGE(supervisor, child)
    child.delay_s = 0.0


MUTANTS: dict[str, tuple[type, str, Callable[..., Any]]] = {
    "a restart empties the mailbox": (Mailbox, "reopen", forgetful),
    "who waited is let in beyond the bound": (Mailbox, "_admit", greedy),
    "a wake-up is lost": (Mailbox, "_wake", sleepy),
    "who waits for room is forgotten at the end": (Mailbox, "close", impolite),
    "a request is begun though nobody waits": (Envelope, "given_up", lambda *_: False),
    "an asker is answered twice": (Envelope, "answer", hasty),
    "what was never taken is not refused": (ActorChild, "close", careless),
    "waiting senders are let in last first": (
        Mailbox,
        "fill",
        lambda mailbox, batch, *_: (batch.append(mailbox._queue.pop()), mailbox._admit()),
    ),
}
IMPATIENT_MUTANTS = {"one restart too many": generous, "no delay": impatient}


@pytest.mark.parametrize("mistake", MUTANTS)
def test_a_mistake_in_the_kernel_is_noticed(mistake: str, monkeypatch: pytest.MonkeyPatch):
    """In the same number of interleavings."""
    place, name, wrong = MUTANTS[mistake]
    monkeypatch.setattr(place, name, wrong)

    with pytest.raises(HARM):
        explore(False, True)


@pytest.mark.parametrize("mistake", IMPATIENT_MUTANTS)
def test_a_mistake_in_counting_restarts_is_noticed(mistake: str, monkeypatch: pytest.MonkeyPatch):
    """In the same number of interleavings."""
    monkeypatch.setattr(Supervisor, "_charge", IMPATIENT_MUTANTS[mistake])

    with pytest.raises(AssertionError):
        count_crashes()
