"""Following a job: what a follower costs, and what they are told when there is no room."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

import anyio
import pytest

from actors.generation.bulletin import Bulletin
from engarde_daemon.api.events.hub import Hub
from engarde_daemon.api.events.wire import StreamRules
from engarde_daemon.api.generation.following import Following
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.generation import (
    CredentialRecord,
    ItemRecord,
    Job,
    JobKey,
    Pieces,
)
from tests.unit.api.test_stream import LIMIT_S, Connection, Log, admitted

KEY = JobKey("t", "job")
PATIENT = StreamRules(heartbeat_s=30, recheck_s=30, stall_s=30)


class NoJobs:
    """The `JobLibrary` port of a tenant whose job was just forgotten, or is out of reach."""

    def __init__(self, *, answers: bool = True) -> None:
        self._answers = answers

    async def job(self, key: JobKey) -> Job | None:
        """See `JobLibrary.job`."""
        del key
        await anyio.lowlevel.checkpoint()
        if not self._answers:
            raise Unavailable("PostgreSQL is away.")
        return None

    async def jobs(
        self,
        tenant_id: str,
        *,
        brand_ids: Sequence[str] | None,
        statuses: Sequence[str] | None,
        after: Place | None,
        size: int,
    ) -> list[Job]:
        """See `JobLibrary.jobs`."""
        raise NotImplementedError

    async def contents(self, key: JobKey) -> list[str]:
        """See `JobLibrary.contents`."""
        raise NotImplementedError

    async def items(
        self, key: JobKey, *, states: Sequence[str] | None, after: int, size: int
    ) -> list[ItemRecord]:
        """See `JobLibrary.items`."""
        raise NotImplementedError

    async def ended_items(self, key: JobKey, *, after: int, size: int) -> list[ItemRecord]:
        """See `JobLibrary.ended_items`."""
        raise NotImplementedError

    async def credentials(self, tenant_id: str) -> list[CredentialRecord]:
        """See `JobLibrary.credentials`."""
        raise NotImplementedError

    async def pieces(self, tenant_id: str, period: date) -> Pieces:
        """See `JobLibrary.pieces`."""
        raise NotImplementedError


class Room:
    """A daemon with room for so many who listen."""

    def __init__(
        self, *, listeners_max: int = 1, answers: bool = True, rules: StreamRules = PATIENT
    ) -> None:
        self.hub = Hub(Log(), listeners_max=listeners_max, window_bytes=1000)
        self.following = Following(
            jobs=NoJobs(answers=answers), bulletin=Bulletin(), hub=self.hub, rules=rules
        )

    async def serve(self, connection: Connection) -> None:
        """Answer one request."""
        app = self.following.stream(KEY, after=0, is_admitted=admitted)
        with anyio.fail_after(LIMIT_S):
            await app(connection.scope, connection.receive, connection.send)


@asynccontextmanager
async def taken(room: Room) -> AsyncIterator[None]:
    """Somebody else listens."""
    room.hub.enter()
    yield
    room.hub.exit()


async def test_a_follower_for_whom_there_is_no_room_is_told_before_the_stream_begins():
    """Only then can the answer be a 503 that says when to come again."""
    room, connection = Room(), Connection()
    async with taken(room):
        with pytest.raises(Unavailable):
            await room.serve(connection)

    assert connection.sent == []


async def test_a_follower_who_does_not_read_is_cut_off():
    """A place is nobody's for ever."""
    room = Room(rules=StreamRules(heartbeat_s=30, recheck_s=30, stall_s=0.01))
    connection = Connection(reads=False)
    await room.serve(connection)

    assert connection.aborted
    assert room.hub.listeners == 0


async def test_a_stream_ends_in_good_order():
    """With its job, or because nobody can tell of it now: who comes again goes on where they are."""
    for answers in (True, False):
        room, connection = Room(answers=answers), Connection()
        await room.serve(connection)

        assert connection.sent[0]["status"] == 200
        assert connection.text.startswith(": listening")
        assert connection.sent[-1]["more_body"] is False
        assert room.hub.listeners == 0
