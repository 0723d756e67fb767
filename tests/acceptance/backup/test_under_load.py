"""A backup is taken while many write, and put back elsewhere."""

from pathlib import Path

import anyio
import httpx

from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.records import RecordKey
from tests.acceptance.backup.conftest import engarde
from tests.acceptance.media.uploads import examined, uploaded
from tests.support.archived import archived_rows
from tests.support.crowd import Crowd
from tests.support.oracle import Oracle, eventually, superuser
from tests.support.pictures import picture
from tests.support.running import Daemon, cleared_away_after

READERS = 8
_TRASH = "select id from content_items where deleted_at is not null"


async def test_everything_acknowledged_before_is_there_after_a_restore(
    daemon: Daemon, place: Path, told_seed: str
):
    """Every version in every store, media as well, and the books are right; so is what follows."""
    async with daemon.client() as http:
        media_id = (await uploaded(http))["id"]
        await examined(http, media_id)
    crowd = Crowd(daemon, told_seed)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(crowd.work)
        await crowd.acknowledges(150)
        before = list(crowd.witness.acknowledged())
        backup = ("backup", place / "kept", "--data-dir", daemon.data_dir)
        code, told, said = await engarde(*backup, cwd=place)
        await crowd.acknowledges(20)
        crowd.stop()
    assert (code, told["left_out"]) == (0, []), said

    restore = ("restore", "backup", place / "kept", "--data-dir", place / "restored")
    code, told, said = await engarde(*restore, cwd=place)
    assert code == 0, said
    await _judge(Daemon(place / "restored"), before, media_id)


async def _judge(restored: Daemon, before: list[RecordKey], media_id: str) -> None:
    async with cleared_away_after(restored):
        await restored.start()
        async with superuser(restored) as sql:
            trash = {row["id"] for row in await sql.fetch(_TRASH)}
        async with restored.client() as http:
            await _all_are_readable(http, [k for k in before if k.content_id not in trash])
            file = await http.get(f"/api/media/{media_id}/file")
            assert file.content == picture()
        await _verifies(restored)
        async with restored.client() as http:
            await _go_on_writing(http)
        await _verifies(restored)
        await Oracle(restored).books_are_right()
        assert await restored.stop() == 0
    async with EmbeddedZeroDB(restored.data_dir / "zerodb") as store:
        assert len(await store.get_many(before)) == len(before)
    rows = archived_rows(restored.data_dir)
    wanted = [(key.tenant_id, key.content_id, key.version, key.sha256) for key in before]
    assert [key for key in wanted if key not in rows] == []


async def _all_are_readable(http: httpx.AsyncClient, keys: list[RecordKey]) -> None:
    left = list(keys)

    async def read() -> None:
        while left:
            key = left.pop()
            answer = await http.get(f"/api/content/{key.content_id}/versions/{key.version}")
            assert answer.status_code == 200, answer.text
            assert sha256_of(answer.json()["content_snapshot"]["content_body"]) == key.sha256

    async with anyio.create_task_group() as readers:
        for _ in range(READERS):
            readers.start_soon(read)


async def _go_on_writing(http: httpx.AsyncClient) -> None:
    """New versions of what was being written when the backup was made: some have been before."""
    page = (await http.get("/api/content", params={"pageSize": 100})).json()["data"]
    for item in page[:40]:
        done = await http.patch(f"/api/content/{item['id']}", json={"body": f"after {item['id']}"})
        assert done.status_code == 200, done.text


async def _verifies(daemon: Daemon) -> None:
    async with superuser(daemon) as sql:

        async def carried() -> bool:
            return not await sql.fetchval("select exists (select from engarde.outbox)")

        await eventually(carried)
    found = await daemon.command("verify")
    assert found["report"]["differences"] == []
    assert found["report"]["waiting"] == 0
