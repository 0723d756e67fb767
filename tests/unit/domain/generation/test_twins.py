"""Of pieces that say nearly the same the later ones are named, and by the earliest."""

from engarde_daemon.domain.twins import SIGNATURE_BYTES, Answers, SignedAnswer

TEA = bytes(range(SIGNATURE_BYTES))
COCOA = bytes(range(100, 100 + SIGNATURE_BYTES))
NEARLY_TEA = TEA[:50] + COCOA[50:]
"""Fifty bytes of sixty-four, which is more than seven in ten."""
HALF_TEA = TEA[:32] + COCOA[32:]


def told(*pieces: tuple[int, bytes | None]) -> Answers:
    """The answers of a job, in the order in which they came."""
    answers = Answers()
    for place, (number, signature) in enumerate(pieces, start=1):
        answers.add(SignedAnswer("job", number, place, signature))
    return answers


def test_the_later_of_two_is_the_others_twin():
    """However they are numbered: one of them yields, never both."""
    answers = told((2, TEA), (1, NEARLY_TEA), (3, COCOA))

    assert [answers.twin_of(number) for number in (1, 2, 3)] == [2, None, None]


def test_half_the_same_is_not_the_same():
    """They share bands, so that they are compared; and that is all."""
    assert told((1, TEA), (2, HALF_TEA)).twin_of(2) is None


def test_the_earliest_is_named():
    """Of two that a piece is like, the one that all the others are like, too."""
    answers = told((5, NEARLY_TEA[:46] + COCOA[46:]), (2, TEA), (3, TEA))

    assert answers.twin_of(3) == 5


def test_what_was_written_anew_counts_as_it_is_now():
    """The draft before it is nobody's twin any more, nor has it any."""
    answers = told((1, TEA), (2, TEA), (1, COCOA), (3, TEA))

    assert answers.twin_of(1) is None
    assert answers.twin_of(3) is None
    assert len(answers) == 3


def test_a_piece_that_was_a_twin_takes_nothing_with_it():
    """Written anew, it leaves the one that it was like for others to be found like."""
    answers = told((1, TEA), (2, TEA), (2, COCOA), (3, TEA))

    assert [answers.twin_of(number) for number in (1, 2, 3)] == [None, None, 1]


def test_what_was_given_up_is_nobodys_twin():
    """It will not be content."""
    answers = told((1, TEA), (1, None), (2, TEA), (3, TEA))

    assert [answers.twin_of(number) for number in (1, 2, 3)] == [None, None, 2]
    assert answers.last_place == 4


def test_a_piece_that_nobody_told_of_has_no_twin():
    """Such as one that was answered before signatures were kept."""
    assert told((1, TEA)).twin_of(9) is None
