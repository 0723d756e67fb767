"""A daemon whose bodies live in a ZeroDB server: delivered, read back, and away for a while."""

from collections.abc import Mapping

import anyio
import asyncpg
import pytest

from engarde_daemon.testing.zerodb_cloud import Fault, ZeroDBCloud
from tests.acceptance.content import created
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory
from tests.support.running import Daemon, cleared_away_after

# Installing the real server takes longer than any test may; its fixture has bounds of its own.
pytestmark = pytest.mark.timeout(300, func_only=True)

BODY = "Größe 👋 and \ue05a, kept by a server"
_WAITING = (
    "select (select count(*) from engarde.staged_bodies) + (select count(*) from engarde.outbox)"
)
_LOOK_S = 0.05


async def until_delivered(daemon: Daemon) -> None:
    """Wait until PostgreSQL holds no body and no delivery any more."""
    link = await asyncpg.connect(daemon.dsn, timeout=PATIENCE_S)
    try:
        with anyio.fail_after(PATIENCE_S):
            while await link.fetchval(_WAITING):
                await anyio.sleep(_LOOK_S)
    finally:
        link.terminate()


async def test_what_was_written_is_read_from_the_server_after_a_restart(
    settings: Mapping[str, str],
):
    """PostgreSQL is empty of bodies by then, and memory is new."""
    with enterable_directory(in_memory=True) as directory:
        async with cleared_away_after(Daemon(directory / "data", environ=settings)) as daemon:
            await daemon.start()
            async with daemon.client() as http:
                made = await created(http, body=BODY)
                changed = await http.patch(f"/api/content/{made['id']}", json={"body": BODY * 2})
                assert changed.status_code == 200, changed.text
            await until_delivered(daemon)
            assert await daemon.stop() == 0
            await daemon.start()

            async with daemon.client() as http:
                item = await http.get(f"/api/content/{made['id']}")
                first = await http.get(f"/api/content/{made['id']}/versions/1")
            checks = await daemon.command("doctor")

    assert item.headers["x-served-from"] == "zerodb"
    assert item.json()["body"] == BODY * 2
    assert first.json()["content_snapshot"]["content_body"] == BODY
    (zerodb,) = (check for check in checks["checks"] if check["check"] == "ZeroDB")
    assert zerodb["state"] == "ok"
    assert "answers" in zerodb["detail"]


async def test_a_server_that_is_away_at_the_start_holds_up_nobody(
    cloud: ZeroDBCloud, cloud_settings: dict[str, str]
):
    """Bodies are staged meanwhile; when it is back, they go there without a restart."""
    await cloud.close()
    with enterable_directory(in_memory=True) as directory:
        async with cleared_away_after(Daemon(directory / "data", environ=cloud_settings)) as daemon:
            await daemon.start()
            async with daemon.client() as http:
                made = await created(http, body=BODY)
                assert (await http.get(f"/api/content/{made['id']}")).json()["body"] == BODY
            await cloud.open()
            cloud.faults.add(Fault.FAILED_AFTER, method="POST", path_end="/rows")
            await until_delivered(daemon)

            logged = daemon.log.read_text()

    assert [row["id"] for row in cloud.rows("content_items")] == [made["id"]]
    assert "ZeroDB is not ready" in logged
    assert cloud.api_key not in logged
