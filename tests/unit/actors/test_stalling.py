"""Who is cut off for not reading, and who is not."""

import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from actors.edge.stalling import TAKEN_MIN, Patience

STALL_S = 60.0


class Line:
    """A transport whose caller takes what the test says, over a pair of real sockets."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.waiting = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        """What waits in the daemon."""
        return self.waiting

    def get_extra_info(self, name: str) -> Any:
        """The socket."""
        return {"socket": self.wire}[name]

    def abort(self) -> None:
        """Hang up."""
        self.aborted = True
        self.waiting = 0


class Hours:
    """A loop whose time a test passes."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay_s: float, then: Callable[[], None]) -> None:
        """Remember what is due."""
        self.due.append((delay_s, then))

    def pass_window(self) -> None:
        """Let half of the time pass that a caller has."""
        due, self.due = self.due, []
        for delay_s, then in due:
            assert delay_s == STALL_S / 2
            then()


@pytest.fixture
def line() -> Iterator[Line]:
    """A line on which nothing was sent."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        yield Line(mine)


@pytest.fixture
def far_line() -> Iterator[Line]:
    """A line over TCP, whose far end has room for little."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        theirs.connect(listener.getsockname())
        mine, _ = listener.accept()
        with mine:
            mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 * TAKEN_MIN)
            yield Line(mine)


@pytest.fixture
def hours() -> Hours:
    """A time that stands still."""
    return Hours()


@pytest.fixture
def patience(line: Line, hours: Hours) -> Patience:
    """Whoever watches that line."""
    transport: Any = line
    return Patience(transport, stall_s=STALL_S, later=hours.call_later)


def test_who_takes_nothing_is_cut_off(line: Line, hours: Hours, patience: Patience):
    """Within the time, however little waits."""
    line.waiting = 1
    patience.wrote(1)
    hours.pass_window()

    assert line.aborted
    assert not hours.due


def test_who_takes_drops_is_cut_off(line: Line, hours: Hours, patience: Patience):
    """A byte now and then is a way to hold everything for days."""
    line.waiting = 10 * TAKEN_MIN
    patience.wrote(line.waiting)
    line.waiting -= TAKEN_MIN - 1
    hours.pass_window()

    assert line.aborted


def test_who_reads_on_slowly_is_served_to_the_end(line: Line, hours: Hours, patience: Patience):
    """As long as it takes; then nothing is watched any more."""
    line.waiting = 10 * TAKEN_MIN
    patience.wrote(line.waiting)
    for _ in range(10):
        line.waiting -= TAKEN_MIN
        hours.pass_window()

    assert not line.aborted
    assert not hours.due


def test_who_stops_later_is_cut_off_then(line: Line, hours: Hours, patience: Patience):
    """Having read before is no leave to stop."""
    line.waiting = 10 * TAKEN_MIN
    patience.wrote(line.waiting)
    line.waiting -= TAKEN_MIN
    hours.pass_window()
    assert not line.aborted
    hours.pass_window()

    assert line.aborted


def test_the_next_answer_is_watched_anew(line: Line, hours: Hours, patience: Patience):
    """Also after one that was taken at once, for which there is no look at all."""
    patience.wrote(1000)
    assert not hours.due
    line.waiting = 5
    patience.wrote(1000)
    line.waiting = 0
    hours.pass_window()
    line.waiting = 5
    patience.wrote(1000)
    hours.pass_window()

    assert line.aborted


def test_an_answer_of_this_moment_is_no_stall(line: Line, hours: Hours, patience: Patience):
    """Though nothing of it is taken yet; what waited when the time began is what counts."""
    line.waiting = 1000
    patience.wrote(1000)
    line.waiting = 2000
    patience.wrote(2000)
    hours.pass_window()
    assert not line.aborted
    hours.pass_window()

    assert line.aborted


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what waits in it")
def test_what_waits_in_the_system_is_not_taken(far_line: Line, hours: Hours):
    """It has room for megabytes that nobody reads."""
    transport: Any = far_line
    far_line.waiting = 10 * TAKEN_MIN
    Patience(transport, stall_s=STALL_S, later=hours.call_later).wrote(far_line.waiting)
    far_line.wire.setblocking(False)
    far_line.waiting -= far_line.wire.send(bytes(4 * TAKEN_MIN))
    assert far_line.waiting < 8 * TAKEN_MIN
    hours.pass_window()

    assert far_line.aborted
