"""What a client was told to be stored of an upload is stored, wherever the daemon dies."""

import hashlib
import random

import anyio
import httpx
import pytest

from engarde_daemon.domain.resuming import PART_BYTES
from tests.acceptance.media.resuming import TUS, UPLOADS, appended, begun, outcome_of
from tests.faults.conftest import LONG
from tests.support.oracle import Oracle, eventually, superuser
from tests.support.pictures import noise
from tests.support.running import Daemon

KILLS = 12 if LONG else 2
_TIME_PASSES = (
    "update engarde.media_uploads set leased_until = '-infinity' "
    "where state = 'pending' and not in_parts"
)
_OFFSET = "select offset_bytes from engarde.resumable_uploads"
_JOIN_NOW = "update engarde.resumable_uploads set join_due_at = '-infinity'"
_PARTS_GONE = "update engarde.media_uploads set sweep_due_at = '-infinity' where in_parts"


class Sender:
    """A client that sends one file, and goes on from where it is told that the file is."""

    def __init__(self, daemon: Daemon, data: bytes) -> None:
        self.acknowledged = 0
        self._daemon = daemon
        self._data = data

    async def send(self, http: httpx.AsyncClient, upload_id: str) -> None:
        """Send until there is no more."""
        while True:
            try:
                at = await self._place(http, upload_id)
                if at == len(self._data):
                    return
                # A request of several parts: some of them are written down when the daemon dies.
                chunk = self._data[at : at + 3 * PART_BYTES + 1000]
                answer = await appended(http, upload_id, chunk, at=at)
                assert answer.status_code in {204, 409, 503}, answer.text
                if answer.status_code == 204:
                    self.acknowledged = int(answer.headers["upload-offset"])
            except httpx.TransportError:
                await self._daemon.serving.wait()

    async def _place(self, http: httpx.AsyncClient, upload_id: str) -> int:
        answer = await http.head(f"{UPLOADS}/{upload_id}", headers=TUS)
        assert answer.status_code == 200
        place = int(answer.headers["upload-offset"])
        assert place >= self.acknowledged
        return place


async def offset_of(daemon: Daemon) -> int:
    """How much of the one upload is written down."""
    async with superuser(daemon) as sql:
        return int(await sql.fetchval(_OFFSET))


@pytest.mark.timeout(600 if LONG else 300)
async def test_killed_among_parts_the_daemon_makes_the_file_that_was_sent(
    daemon: Daemon, told_seed: str
):
    """Between bytes and books of a part, while the parts are joined, and after."""
    chance = random.Random(told_seed)
    data = noise(12 * PART_BYTES + 77)
    async with daemon.client() as http:
        sender = Sender(daemon, data)
        upload_id = await begun(http, len(data), filename="a.pdf")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sender.send, http, upload_id)
            for _ in range(KILLS):
                wanted = await offset_of(daemon) + chance.randint(0, 2 * PART_BYTES)

                async def some_is_stored(wanted: int = wanted) -> bool:
                    return await offset_of(daemon) >= min(wanted, len(data))

                await eventually(some_is_stored)
                await daemon.kill()
                await daemon.start()

        async with superuser(daemon) as sql:
            await sql.execute(_TIME_PASSES)  # what the last life was joining is let go
            await sql.execute(_JOIN_NOW)

            async def it_is_kept() -> bool:
                return bool((await outcome_of(http, upload_id))["outcome"] == "kept")

            await eventually(it_is_kept)
            file = (await http.get(f"/api/media/{upload_id}")).json()
            assert file["sha256"] == hashlib.sha256(data).hexdigest()
            await sql.execute(_PARTS_GONE)

        async def only_the_file_is_left() -> bool:
            return not list((daemon.data_dir / "media").rglob("*.parts*"))

        await eventually(only_the_file_is_left)
    await Oracle(daemon).books_are_right()
