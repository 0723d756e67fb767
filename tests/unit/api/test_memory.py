"""What was looked up a moment ago is believed for a moment."""

import pytest

from engarde_daemon.api.memory import Remembered


class Book:
    """Answers with how often it was asked, and counts by key."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[str] = []
        self.closed = False

    async def look_up(self, key: str) -> int:
        """An answer that is new each time."""
        if self.closed:
            raise ConnectionError
        self.asked.append(key)
        return len(self.asked)

    def remembered(self, most: int = 10) -> Remembered[str, int]:
        """What remembers these answers for five seconds."""
        return Remembered(self.look_up, clock=lambda: self.now, for_s=5.0, most=most)


async def test_a_failed_question_is_asked_again():
    """An error is nobody's answer."""
    book = Book()
    remembered = book.remembered()
    book.closed = True
    with pytest.raises(ConnectionError):
        await remembered.of("a")
    book.closed = False

    assert await remembered.of("a") == 1


async def test_an_answer_holds_for_its_time_and_no_longer():
    """To the second."""
    book = Book()
    remembered = book.remembered()
    answers = []
    for now in (0.0, 4.9, 5.0, 9.9, 10.1):
        book.now = now
        answers.append(await remembered.of("a"))

    assert answers == [1, 1, 2, 2, 3]


async def test_only_so_many_answers_are_kept():
    """The oldest goes first, however many are asked for."""
    book = Book()
    remembered = book.remembered(most=2)
    for key in ("a", "b", "c", "c", "b", "a"):
        await remembered.of(key)

    assert book.asked == ["a", "b", "c", "a"]
