"""One watcher's connection: what ends it, and that its places are given back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
import pytest

from engarde_daemon.api.admin.feed import WATCHERS_MAX, Feed
from engarde_daemon.api.admin.watching import FeedStream
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.events.wire import StreamRules
from engarde_daemon.domain.errors import Unavailable
from tests.unit.api.test_feed import SNAPSHOT, event
from tests.unit.api.test_stream import Connection, Log

LIMIT_S = 5.0
PATIENT = StreamRules(heartbeat_s=30, recheck_s=30, stall_s=30)


async def admitted() -> bool:
    """A caller whose key stays good."""
    return True


class Room:
    """A feed with its places."""

    def __init__(self) -> None:
        self.feed, self.hub = Feed("life"), Hub(Log(), listeners_max=9, window_bytes=9)
        self.hub.open()

    def stream(
        self,
        rules: StreamRules = PATIENT,
        is_admitted: Callable[[], Awaitable[bool]] = admitted,
    ) -> FeedStream:
        """A stream that begins with a snapshot, as the observer sees to."""
        return FeedStream(
            self.feed.watch(None),
            feed=self.feed,
            hub=self.hub,
            is_admitted=is_admitted,
            look_now=lambda: self.feed.show(SNAPSHOT),
            rules=rules,
        )

    @asynccontextmanager
    async def served(self, stream: FeedStream, wire: Connection) -> AsyncIterator[None]:
        """Serve a stream, which must end by itself before the block does."""
        with anyio.fail_after(LIMIT_S):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stream, wire.scope, wire.receive, wire.send)
                yield
        assert (self.feed.watchers, self.hub.listeners) == (0, 0)


async def test_what_happens_while_a_frame_is_sent_is_sent_too():
    """A watcher sleeps only when there is nothing new."""
    room, wire = Room(), Connection()
    async with room.served(room.stream(), wire):
        await wire.says("event: snapshot")
        room.feed.tell([event(1)])
        room.feed.tell([event(2)])
        await wire.says('"text":"2"')
        wire.leave()


async def test_who_is_not_admitted_any_more_is_sent_away():
    """A revoked key ends the feed it opened."""
    room, wire = Room(), Connection()

    async def revoked() -> bool:
        return False

    rules = StreamRules(heartbeat_s=30, recheck_s=0.01, stall_s=30)
    async with room.served(room.stream(rules, revoked), wire):
        await wire.says("event: snapshot")

    assert wire.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_quiet_feed_gives_a_sign_of_life():
    """So that whoever is in between does not take it for dead; a stop ends it."""
    room, wire = Room(), Connection()
    rules = StreamRules(heartbeat_s=0.01, recheck_s=30, stall_s=30)
    async with room.served(room.stream(rules), wire):
        await wire.says(": heartbeat")
        room.hub.close()


async def test_who_reads_nothing_is_cut_off():
    """Without a word, for none would arrive."""
    room, wire = Room(), Connection(reads=False)
    rules = StreamRules(heartbeat_s=30, recheck_s=30, stall_s=0.01)
    async with room.served(room.stream(rules), wire):
        pass

    assert wire.aborted


async def test_a_full_feed_refuses_and_keeps_no_place():
    """Before a byte is sent."""
    room, wire = Room(), Connection()
    for _ in range(WATCHERS_MAX):
        room.feed.enter()
    with pytest.raises(Unavailable):
        await room.stream()(wire.scope, wire.receive, wire.send)

    assert (room.hub.listeners, wire.sent) == (0, [])
