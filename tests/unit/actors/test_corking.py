"""A connection that gathers its writes."""

from collections.abc import Callable
from typing import Any

from actors.edge.corking import GATHERED_MAX, Corked


class Line:
    """A transport that remembers what is done with it."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.left: list[int] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        """Remember what was sent."""
        self.done.append(data)

    def close(self) -> None:
        """Remember the end."""
        self.closing = True
        self.done.append("closed")

    def abort(self) -> None:
        """Remember the end."""
        self.closing = True
        self.done.append("aborted")

    def is_closing(self) -> bool:
        """Whether it ended."""
        return self.closing


class Turns:
    """The rest of an event loop's turn, taken by hand."""

    def __init__(self) -> None:
        self._later: list[Callable[[], None]] = []

    def call_soon(self, then: Callable[[], None]) -> None:
        """Put off."""
        self._later.append(then)

    def take(self) -> None:
        """Do what was put off."""
        later, self._later = self._later, []
        for then in later:
            then()


def corked() -> tuple[Any, Line, Turns]:
    """A connection, the line below it, and the turns of its loop."""
    line, turns = Line(), Turns()
    transport: Any = line
    return Corked(transport, turns.call_soon, line.left.append), line, turns


def test_what_is_written_in_a_turn_leaves_as_one():
    """Headers and body are one write, and the next answer is another."""
    connection, line, turns = corked()

    connection.write(b"headers ")
    connection.write(b"body")
    assert line.done == []
    turns.take()
    connection.write(b"next")
    turns.take()

    assert line.done == [b"headers body", b"next"]
    assert line.left == [12, 4]


def test_a_close_loses_nothing():
    """What waits is sent before the connection ends, and nothing after."""
    connection, line, turns = corked()

    connection.write(b"last words")
    connection.close()
    connection.write(b"too late")
    turns.take()

    assert line.done == [b"last words", "closed"]


def test_an_abort_sends_nothing_more():
    """Who reads no more gets no more."""
    connection, line, turns = corked()

    connection.write(b"unread")
    connection.abort()
    turns.take()

    assert line.done == ["aborted"]


def test_much_leaves_at_once():
    """So that the transport can tell its writer to pause."""
    connection, line, turns = corked()

    connection.write(b"a" * GATHERED_MAX)
    assert line.done == []
    connection.write(b"b")
    assert len(line.done) == 1
    turns.take()

    assert line.done == [b"a" * GATHERED_MAX + b"b"]


def test_all_else_is_the_transports():
    """Whatever uvicorn asks of it besides."""
    connection, line, _ = corked()

    line.closing = True

    assert connection.is_closing()
