"""The checker accepts what one object could have said, and nothing else."""

import itertools
import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

from engarde_daemon.testing.linearizability import (
    History,
    NotLinearizable,
    Operation,
    Undecided,
    check,
    checker,
)
from engarde_daemon.testing.linearizability.models import (
    CONFLICT,
    DONE,
    FULL,
    MISSING,
    BoundedCounter,
    Create,
    Delete,
    Give,
    Look,
    Patch,
    Read,
    Seen,
    Take,
    VersionedItem,
)

NEVER = math.inf
Told = tuple[Any, Any, float, float]
MADE: Told = (Create("a"), Seen(1, "a"), 0, 1)
ROOM: Told = (Take(6), DONE, 0, 1)

GOOD: dict[str, Sequence[Told]] = {
    "one after the other": [
        MADE,
        (Patch("b"), 2, 2, 3),
        (Read(), Seen(2, "b"), 4, 5),
        (Delete(), DONE, 6, 7),
        (Read(), MISSING, 8, 9),
    ],
    "a read beside a write sees either": [
        MADE,
        (Patch("b"), 2, 2, 9),
        (Read(), Seen(2, "b"), 3, 4),
        (Read(), Seen(2, "b"), 5, 6),
    ],
    "two writes at once, in the order of their versions": [
        MADE,
        (Patch("b"), 3, 2, 9),
        (Patch("c"), 2, 2, 9),
        (Read(), Seen(3, "b"), 10, 11),
    ],
    "a write that nobody answered happened": [
        MADE,
        (Patch("b"), None, 2, NEVER),
        (Read(), Seen(1, "a"), 3, 4),
        (Read(), Seen(2, "b"), 5, 6),
    ],
    "a write that nobody answered did not happen": [
        MADE,
        (Patch("b"), None, 2, NEVER),
        (Patch("c"), 2, 3, 4),
        (Read(), Seen(2, "c"), 5, 6),
    ],
    "a write that nobody answered happened long after": [
        MADE,
        (Patch("b"), None, 2, NEVER),
        (Patch("c"), 2, 3, 4),
        (Patch("d"), 4, 5, 6),
        (Read(), Seen(4, "d"), 7, 8),
    ],
    "of two that guard the same version one wins": [
        MADE,
        (Patch("b", if_version=1), 2, 2, 9),
        (Patch("c", if_version=1), CONFLICT, 2, 9),
    ],
    "a deletion that nobody answered": [
        MADE,
        (Delete(), None, 2, NEVER),
        (Read(), Seen(1, "a"), 3, 4),
        (Patch("b"), MISSING, 5, 6),
    ],
}
BAD: dict[str, Sequence[Told]] = {
    "a stale read": [MADE, (Patch("b"), 2, 2, 3), (Read(), Seen(1, "a"), 4, 5)],
    "a read that goes back": [
        MADE,
        (Patch("b"), 2, 2, 9),
        (Read(), Seen(2, "b"), 3, 4),
        (Read(), Seen(1, "a"), 5, 6),
    ],
    "a lost update": [
        MADE,
        (Patch("b", if_version=1), 2, 2, 9),
        (Patch("c", if_version=1), 3, 2, 9),
    ],
    "a version given twice": [MADE, (Patch("b"), 2, 2, 9), (Patch("c"), 2, 2, 9)],
    "a version left out": [MADE, (Patch("b"), 3, 2, 3)],
    "a body that nobody wrote": [MADE, (Read(), Seen(1, "x"), 2, 3)],
    "a body under another's version": [
        MADE,
        (Patch("b"), 2, 2, 3),
        (Patch("c"), 3, 4, 5),
        (Read(), Seen(3, "b"), 6, 7),
    ],
    "a phantom from before its creation": [(Read(), Seen(1, "a"), -2, -1), MADE],
    "a write that came back from the dead": [
        MADE,
        (Delete(), DONE, 2, 3),
        (Read(), Seen(1, "a"), 4, 5),
    ],
    "an acknowledged write that is gone": [MADE, (Read(), MISSING, 2, 3)],
    "a conflict with nobody": [MADE, (Patch("b", if_version=1), CONFLICT, 2, 3)],
    "a write that nobody answered happened, and then did not": [
        MADE,
        (Patch("b"), None, 2, NEVER),
        (Read(), Seen(2, "b"), 3, 4),
        (Read(), Seen(1, "a"), 5, 6),
    ],
    "a write that nobody answered happened twice": [
        MADE,
        (Patch("b"), None, 2, NEVER),
        (Read(), Seen(2, "b"), 3, 4),
        (Patch("c"), 3, 5, 6),
        (Read(), Seen(4, "b"), 7, 8),
    ],
}
GOOD_ROOM: dict[str, Sequence[Told]] = {
    "as much as fits": [ROOM, (Take(4), DONE, 2, 3), (Take(1), FULL, 4, 5), (Look(), 10, 6, 7)],
    "either of two": [ROOM, (Take(4), FULL, 2, 9), (Take(3), DONE, 2, 9)],
    "freed in time": [ROOM, (Give(6), DONE, 2, 9), (Take(8), DONE, 3, 8)],
    "taken by one that nobody answered": [
        ROOM,
        (Take(4), None, 2, NEVER),
        (Take(1), FULL, 3, 4),
        (Look(), 10, 5, 6),
    ],
}
BAD_ROOM: dict[str, Sequence[Told]] = {
    "one too many": [ROOM, (Take(5), DONE, 2, 3)],
    "both of two": [ROOM, (Take(4), DONE, 2, 9), (Take(3), DONE, 2, 9)],
    "refused though it fits": [ROOM, (Take(4), FULL, 2, 3)],
    "freed too late": [ROOM, (Take(8), DONE, 2, 3), (Give(6), DONE, 4, 5)],
    "a wrong sum": [ROOM, (Look(), 5, 2, 3)],
    "both refused, though one would fit": [ROOM, (Take(4), FULL, 2, 9), (Take(3), FULL, 2, 9)],
}


def history_of(told: Sequence[Told], item: str = "item") -> History:
    """A history with given times."""
    history = History(lambda: 0.0)
    history._over = [
        Operation(item=item, call=call, answer=answer, began=began, ended=ended)
        for call, answer, began, ended in told
    ]
    return history


@pytest.mark.parametrize("story", GOOD)
def test_what_one_item_could_have_said_is_accepted(story: str):
    """Whoever was served at the same time may have been served in either order."""
    check(history_of(GOOD[story]), VersionedItem())


@pytest.mark.parametrize("story", BAD)
def test_what_no_item_could_have_said_is_rejected(story: str):
    """And the text names the item and the answers that do not fit."""
    with pytest.raises(
        NotLinearizable, match=r"item: .* operations(.|\n)*none of these can follow"
    ):
        check(history_of(BAD[story]), VersionedItem())


@pytest.mark.parametrize("story", GOOD_ROOM)
def test_what_one_limit_could_have_said_is_accepted(story: str):
    """Admitted in some order."""
    check(history_of(GOOD_ROOM[story]), BoundedCounter(10))


@pytest.mark.parametrize("story", BAD_ROOM)
def test_what_no_limit_could_have_said_is_rejected(story: str):
    """Neither too much nor too little was admitted."""
    with pytest.raises(NotLinearizable):
        check(history_of(BAD_ROOM[story]), BoundedCounter(10))


def test_each_item_is_judged_alone():
    """The same order need not explain all of them, and the bad one is named."""
    history = history_of(GOOD["one after the other"])
    history._over += history_of(BAD["a stale read"], "other")._over

    with pytest.raises(NotLinearizable, match=r"^other: "):
        check(history, VersionedItem())


def explained(operations: Sequence[Operation]) -> bool:
    """Whether any order of any subset with all answers explains them, found by trying all."""
    model = VersionedItem()
    answered = [one for one in operations if not one.is_open]
    open_ = [one for one in operations if one.is_open]
    for count in range(len(open_) + 1):
        for some in itertools.combinations(open_, count):
            for order in itertools.permutations([*answered, *some]):
                if any(later.ended < one.began for one, later in itertools.combinations(order, 2)):
                    continue
                state: Any = model.start()
                for one in order:
                    state = model.step(state, one.call, one.answer)
                    if state is None:
                        break
                else:
                    return True
    return False


def random_history(chance: random.Random) -> Sequence[Told]:
    """A short history whose answers come from a true item, but for a lie now and then."""
    model, state = VersionedItem(), VersionedItem().start()
    told: list[Told] = []
    at = 0.0
    for number in range(chance.randint(2, 6)):
        guard = chance.choice((None, None, 1, 2))
        call: Any = chance.choice((Read(), Patch(f"b{number}", guard), Delete(guard), Read()))
        call = Create("a") if number == 0 else call
        at += 1
        answers = [MISSING, CONFLICT, DONE, *range(1, 8)]
        answers += [Seen(v, b) for v in range(1, 8) for b in ("a", *(f"b{n}" for n in range(6)))]
        (answer, after), *_ = [
            (one, step) for one in answers if (step := model.step(state, call, one)) is not None
        ]
        began, ended = at - chance.uniform(0, 3), at + chance.uniform(0, 3)
        if chance.random() < 0.2:
            state = chance.choice((state, after))
            told.append((call, None, began, NEVER))
            continue
        state = after
        lie = chance.choice(answers) if chance.random() < 0.1 else answer
        told.append((call, lie, began, ended))
    return told


def test_it_agrees_with_trying_every_order():
    """On a thousand short histories, of which many are right and many wrong."""
    verdicts = []
    for seed in range(1000):
        history = history_of(random_history(random.Random(seed)))
        ((_, operations),) = history.by_item()
        expected = explained(operations)
        try:
            check(history, VersionedItem())
        except NotLinearizable:
            assert not expected, f"seed {seed} was rejected"
        else:
            assert expected, f"seed {seed} was accepted"
        verdicts.append(expected)

    assert 200 < sum(verdicts) < 900


def test_long_histories_of_many_clients_are_judged():
    """Two thousand operations of sixteen clients, forty of them without an answer."""
    chance, told, version = random.Random(7), [MADE], 1
    body = "a"
    for number in range(2000):
        at = 2 + number * 0.1
        span = (at - chance.uniform(0, 0.8), at + chance.uniform(0, 0.8))
        if number % 50 == 0:
            told.append((Patch(f"lost {number}"), None, at, NEVER))
        elif number % 3:
            told.append((Read(), Seen(version, body), *span))
        else:
            version, body = version + 1, f"b{number}"
            told.append((Patch(body), version, *span))

    check(history_of(told), VersionedItem())


def test_too_many_possibilities_are_no_verdict(monkeypatch: pytest.MonkeyPatch):
    """Neither right nor wrong is claimed."""
    monkeypatch.setattr(checker, "CONFIGURATIONS_MAX", 50)
    told = [MADE, *((Patch(str(number)), None, 2, NEVER) for number in range(12))]

    with pytest.raises(Undecided):
        check(history_of([*told, (Read(), Seen(9, "nobody"), 3, 4)]), VersionedItem())


def test_a_history_is_noted_as_it_happens():
    """The time of a call is from before it to after its answer; what is refused leaves no trace."""
    clock = itertools.count()
    history = History(lambda: float(next(clock)))
    first = history.called("a", Create("x"), client="one")
    second = history.called("a", Read())
    third = history.called("b", Read())
    history.answered(first, Seen(1, "x"))
    history.refused(third)

    assert len(history) == 2
    assert [(item, list(operations)) for item, operations in history.by_item()] == [
        (
            "a",
            [
                Operation(
                    item="a",
                    call=Create("x"),
                    answer=Seen(1, "x"),
                    began=0.0,
                    ended=3.0,
                    client="one",
                ),
                Operation(item="a", call=Read(), began=1.0),
            ],
        )
    ]
    assert second == 2
