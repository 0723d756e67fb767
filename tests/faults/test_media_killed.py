"""An upload is kept or leaves nothing, wherever in its life the daemon dies."""

import hashlib
import random
from pathlib import Path

import anyio
import httpx
import pytest

from tests.faults.conftest import LONG
from tests.support.oracle import Oracle, eventually, superuser
from tests.support.pictures import noise
from tests.support.running import Daemon

KILLS = 12 if LONG else 2
CLIENTS = 6
SIZES = (20_000, 300_000, 1_200_000)
_TIME_PASSES = (
    "update engarde.media_uploads set leased_until = '-infinity', sweep_due_at = '-infinity'"
)
_KEPT = "select storage_path, tenant_id::text from engarde.media_files"
_UNDER_WAY = "select count(*) from engarde.media_uploads where state = 'pending'"


class Uploads:
    """Clients who upload under keys, each again and again until it is answered."""

    def __init__(self, daemon: Daemon, seed: str) -> None:
        self.kept: dict[str, str] = {}
        self.stopped = False
        self._daemon = daemon
        self._chance = random.Random(seed)
        self._sent = 0
        self._hands = anyio.Lock()  # two who turn all the clocks at once may wait for each other

    async def work(self, http: httpx.AsyncClient) -> None:
        """Upload one file after the other."""
        while not self.stopped:
            self._sent += 1
            number = self._sent
            data = noise(self._chance.choice(SIZES), number)
            media_id = await self._until_kept(http, data, f"upload-{number}")
            self.kept[media_id] = hashlib.sha256(data).hexdigest()

    async def _until_kept(self, http: httpx.AsyncClient, data: bytes, key: str) -> str:
        while True:
            try:
                answer = await http.post(
                    "/api/media",
                    files={"file": ("a.pdf", data, "application/pdf")},
                    headers={"Idempotency-Key": key},
                )
            except httpx.TransportError:
                await self._daemon.serving.wait()
                continue
            if answer.status_code == 201:
                return str(answer.json()["id"])
            # What the last life held, is held until its lease runs out.
            assert answer.status_code in {409, 503}, answer.text
            async with self._hands, superuser(self._daemon) as sql:
                await sql.execute(_TIME_PASSES)


def bytes_of(daemon: Daemon) -> set[str]:
    """The paths that hold bytes, thumbnails aside, and halves that were never finished."""
    folder = daemon.data_dir / "media"
    found = (path for path in folder.rglob("*") if path.is_file())
    return {_path(path, folder) for path in found if path.suffix != ".thumbnail"}


def _path(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder))


@pytest.mark.timeout(600 if LONG else 300)
async def test_killed_among_uploads_the_daemon_keeps_what_it_acknowledged_and_nothing_else(
    daemon: Daemon, told_seed: str
):
    """Between intent and bytes, between bytes and books, and after: the books are right."""
    uploads = Uploads(daemon, told_seed)
    chance = random.Random(told_seed)
    async with daemon.client() as http, anyio.create_task_group() as crowd:
        for _ in range(CLIENTS):
            crowd.start_soon(uploads.work, http)
        for _ in range(KILLS):
            wanted = len(uploads.kept) + chance.randint(1, CLIENTS)

            async def some_are_kept(wanted: int = wanted) -> bool:
                return len(uploads.kept) >= wanted

            await eventually(some_are_kept)
            await daemon.kill()
            await daemon.start()
        uploads.stopped = True

    await daemon.kill()
    async with superuser(daemon) as sql:  # PostgreSQL lives on
        await sql.execute(_TIME_PASSES)
        await daemon.start()  # whose curator comes by at once

        async def nothing_is_under_way() -> bool:
            return not await sql.fetchval(_UNDER_WAY)

        await eventually(nothing_is_under_way)
        kept = {row["storage_path"]: row["tenant_id"] for row in await sql.fetch(_KEPT)}

    async def only_what_is_kept() -> bool:
        return bytes_of(daemon) == kept.keys()

    await eventually(only_what_is_kept)
    ours = [path for path, owner in kept.items() if owner == daemon.credentials.tenant_id]
    assert len(ours) == len(uploads.kept)
    async with daemon.client() as http:
        for media_id, sha256 in uploads.kept.items():
            answer = await http.get(f"/api/media/{media_id}/file")
            assert hashlib.sha256(answer.content).hexdigest() == sha256
    await Oracle(daemon).books_are_right()
