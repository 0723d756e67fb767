"""One listener's stream: where it begins, what it never leaves out, and what ends it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import anyio
import msgspec
import pytest

from engarde_daemon.api.events.hub import Hub, Interest
from engarde_daemon.api.events.stream import EventStream, Subscription
from engarde_daemon.api.events.wire import StreamRules
from engarde_daemon.domain.errors import Invalid, Unavailable
from engarde_daemon.domain.events import Event
from engarde_daemon.ports.events import Bounds, Placed

RULES = StreamRules(heartbeat_s=30, recheck_s=30, stall_s=30)
LIMIT_S = 5.0


class Log:
    """The `EventReader` port for one tenant, in memory; something may happen at each question."""

    def __init__(self, *positions: int) -> None:
        self.events = [placed(position) for position in positions]
        self.before_bounds: list[Callable[[], None]] = []
        self.before_reads: list[Callable[[], None]] = []
        self.answers = True

    async def after(self, places: Mapping[str, int], *, most: int) -> dict[str, list[Placed]]:
        """See `EventReader.after`."""
        await anyio.lowlevel.checkpoint()
        if not self.answers:
            raise Unavailable("PostgreSQL is away.")
        if self.before_reads:
            self.before_reads.pop(0)()
        return {"t": [placed for placed in self.events if placed.position > places["t"]][:most]}

    async def bounds(self, tenant_id: str) -> Bounds:
        """See `EventReader.bounds`."""
        del tenant_id
        await anyio.lowlevel.checkpoint()
        if self.before_bounds:
            self.before_bounds.pop(0)()
        last = self.events[-1].position if self.events else 0
        return Bounds(self.events[0].position if self.events else last + 1, last)


class Connection:
    """One connection as uvicorn would serve it."""

    def __init__(self, *, reads: bool = True) -> None:
        self.sent: list[dict[str, Any]] = []
        self.aborted = False
        self.scope: Any = {"state": {"connection": self}}
        self._reads = reads
        self._changed = anyio.Event()
        self._gone = anyio.Event()

    @property
    def text(self) -> str:
        """The body so far."""
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    async def send(self, message: Any) -> None:
        """Take a message, unless it is a body nobody reads."""
        if not self._reads and message["type"] == "http.response.body":
            await anyio.sleep_forever()
        self.sent.append(message)
        self._changed.set()
        self._changed = anyio.Event()

    async def receive(self) -> Any:
        """Wait until the client is gone."""
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def says(self, text: str) -> None:
        """Wait until the body holds a text."""
        with anyio.fail_after(LIMIT_S):
            while text not in self.text:
                await self._changed.wait()

    def leave(self) -> None:
        """Let the client go."""
        self._gone.set()

    def abort(self) -> None:
        """Be cut, as a transport is."""
        self.aborted = True
        self._gone.set()

    def get_extra_info(self, name: str) -> Any:
        """The socket, whose options nobody looks at."""
        assert name == "socket"
        return self

    def setsockopt(self, *_: int) -> None:
        """Take an option."""


def placed(position: int) -> Placed:
    """An event."""
    event = Event(
        id=str(position),
        tenant_id="t",
        type="content.created",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        brand_id=None,
        actor_id=None,
        data=msgspec.Raw(b"{}"),
    )
    return Placed(position, event)


async def admitted() -> bool:
    """Still a caller."""
    return True


def stream_of(
    log: Log,
    hub: Hub,
    *,
    after: int | None = None,
    rules: StreamRules = RULES,
    is_admitted: Any = admitted,
) -> EventStream:
    """A stream of everything."""
    subscription = Subscription(
        tenant_id="t", interest=Interest(), after=after, is_admitted=is_admitted
    )
    return EventStream(subscription, hub=hub, reader=log, rules=rules)


def hub_of(log: Log) -> Hub:
    """A hub with room for one."""
    return Hub(log, listeners_max=1, window_bytes=10_000)


async def serve(stream: EventStream, connection: Connection) -> None:
    """Run a stream to its end."""
    with anyio.fail_after(LIMIT_S):
        await stream(connection.scope, connection.receive, connection.send)


async def test_what_happens_between_the_log_and_the_hub_is_told():
    """The herald told nobody, because nobody listened yet; the log was read before it happened."""
    log, connection = Log(), Connection()
    log.before_bounds = [lambda: None, lambda: log.events.append(placed(1))]
    hub = hub_of(log)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve, stream_of(log, hub), connection)
        await connection.says("id: 1\n")
        connection.leave()


async def test_what_log_and_hub_both_tell_is_told_once():
    """The log was read once more after the hub had begun, and knew something newer."""
    log, connection = Log(1, 2), Connection()
    log.before_reads = [lambda: None, lambda: log.events.append(placed(3))]
    hub = hub_of(log)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve, stream_of(log, hub, after=0), connection)
        await connection.says("id: 3\n")
        await hub.tell("t", [placed(3), placed(4)])
        await connection.says("id: 4\n")
        connection.leave()

    ids = [line for line in connection.text.split("\n") if line.startswith("id:")]
    assert ids == ["id: 1", "id: 2", "id: 3", "id: 4"]


async def test_events_that_are_gone_are_named():
    """Whoever comes too late learns what they missed."""
    log, connection = Log(5, 6), Connection()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve, stream_of(log, hub_of(log), after=2), connection)
        await connection.says("id: 6\n")
        connection.leave()

    assert 'event: stream.gap\ndata: {"from":3,"to":4}\n\nid: 5\n' in connection.text


async def test_an_event_that_never_was_is_no_place_to_go_on_from():
    """Said before the answer begins."""
    log, connection = Log(1), Connection()

    with pytest.raises(Invalid):
        await serve(stream_of(log, hub_of(log), after=2), connection)

    assert connection.sent == []


async def test_a_listener_who_reads_nothing_is_cut():
    """After a while, though nothing happens."""
    log, connection = Log(), Connection(reads=False)
    rules = StreamRules(heartbeat_s=30, recheck_s=30, stall_s=0.05)
    hub = hub_of(log)

    await serve(stream_of(log, hub, rules=rules), connection)

    assert connection.aborted
    assert (hub.listeners, hub.places()) == (0, {})


async def test_who_is_no_longer_admitted_is_sent_away():
    """And the stream ends as streams do."""
    log, connection = Log(), Connection()

    async def nobody() -> bool:
        return False

    rules = StreamRules(heartbeat_s=30, recheck_s=0.05, stall_s=30)
    await serve(stream_of(log, hub_of(log), rules=rules, is_admitted=nobody), connection)

    assert not connection.aborted
    assert connection.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_who_was_admitted_stays_while_that_cannot_be_told():
    """A database that is away sends nobody away."""
    log, connection, asked = Log(), Connection(), anyio.Semaphore(0)

    async def unknown() -> bool:
        asked.release()
        raise Unavailable("PostgreSQL is away.")

    rules = StreamRules(heartbeat_s=0.05, recheck_s=0.05, stall_s=30)
    async with anyio.create_task_group() as tasks:
        stream = stream_of(log, hub_of(log), rules=rules, is_admitted=unknown)
        tasks.start_soon(serve, stream, connection)
        with anyio.fail_after(LIMIT_S):
            for _ in range(3):
                await asked.acquire()
        await connection.says(": heartbeat\n")
        assert connection.sent[-1].get("more_body")
        connection.leave()


async def test_without_the_log_a_stream_ends_and_can_be_gone_on_from():
    """Rather than leave something out."""
    log, connection = Log(1), Connection()
    log.answers = False

    await serve(stream_of(log, hub_of(log), after=0), connection)

    assert "id: " not in connection.text
    assert connection.sent[-1]["more_body"] is False


async def test_a_stop_ends_a_stream():
    """Politely."""
    log, connection = Log(), Connection()
    hub = hub_of(log)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve, stream_of(log, hub), connection)
        await connection.says(": listening\n")
        hub.close()

    assert not connection.aborted
    assert connection.sent[-1]["more_body"] is False
    assert hub.listeners == 0
