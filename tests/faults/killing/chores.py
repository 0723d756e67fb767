"""What nobody waits for: publishing what is due, erasing, and giving ZeroDB back what it lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx

from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from tests.faults.killing.site import Plot, Site
from tests.support.faulty import FaultyDaemon
from tests.support.oracle import Oracle, eventually, superuser

ITEMS = 12
_ALL_ARE_DUE = """
    update public.content_items set scheduled_at = now() at time zone 'utc' where tenant_id = $1
"""
_REMOVALS_ARE_DUE = "update engarde.removals set due_at = '-infinity'"
_TO_REMOVE = "select exists (select from engarde.removals where destination = 'zerodb')"


async def publish(site: Site, plot: Plot) -> None:
    """What is due is published once, however often somebody began to."""
    daemon = site.daemon
    guest = await daemon.receive_guest()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    async with daemon.client() as http:
        ids = await _written(http, status="scheduled", scheduled_at=tomorrow)
        daemon.will_die_at(plot.point, at_pass=plot.chance.randint(1, ITEMS - 1))
        async with superuser(daemon) as sql:
            await sql.execute(_ALL_ARE_DUE, guest.tenant_id)
        await daemon.dies()
        await daemon.start()
    async with daemon.client() as http:

        async def all_are_published() -> bool:
            items = [(await http.get(f"/api/content/{one}")).json() for one in ids]
            return {item["status"] for item in items} == {"published"}

        await eventually(all_are_published, within_s=plot.patience_s)
        items = [(await http.get(f"/api/content/{one}")).json() for one in ids]
    assert [item["version"] for item in items] == [2] * ITEMS
    await Oracle(daemon, patience_s=plot.patience_s).is_sound()


async def erase(site: Site, plot: Plot) -> None:
    """What was erased stands in no store any more, and what was not is still there."""
    daemon = site.daemon
    await daemon.receive_guest()
    async with daemon.client() as http:
        ids = await _written(http)
        await Oracle(daemon, patience_s=plot.patience_s).is_sound()
        gone = plot.chance.choice(ids)
        daemon.will_die_at(plot.point)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_erase, http, gone)
            await daemon.dies()
    async with superuser(daemon) as sql:
        await sql.execute(_REMOVALS_ARE_DUE)
        await daemon.start()

        async def is_removed() -> bool:
            return not await sql.fetchval(_TO_REMOVE)

        await eventually(is_removed, within_s=plot.patience_s)
    async with daemon.client() as http:
        statuses = {one: (await http.get(f"/api/content/{one}")).status_code for one in ids}
    assert statuses == {**dict.fromkeys(ids, 200), gone: 404}
    await Oracle(daemon, patience_s=plot.patience_s).is_sound()


async def restore(site: Site, plot: Plot) -> None:
    """A restore that died goes on, and every row is back."""
    daemon = site.daemon
    await daemon.receive_guest()
    async with daemon.client() as http:
        await _written(http)
    await Oracle(daemon, patience_s=plot.patience_s).is_sound()
    await _wipe(daemon)
    daemon.will_die_at(plot.point, at_pass=2)  # the first page is done by then
    async with daemon.client(daemon.credentials.operator_key) as http:
        ordered = await http.post("/api/admin/recovery/restore")
        assert ordered.status_code == 202, ordered.text
    await daemon.dies()
    await daemon.start()
    await eventually(lambda: _is_done(daemon, ordered.json()["id"]), within_s=plot.patience_s)
    await Oracle(daemon, patience_s=plot.patience_s).is_sound()


async def _written(http: httpx.AsyncClient, **given: Any) -> list[str]:
    ids = []
    for number in range(ITEMS):
        body = {"title": f"Item {number}", "body": f"{number} says " * 20, **given}
        made = await http.post("/api/content", json=body)
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    return ids


async def _erase(http: httpx.AsyncClient, content_id: str) -> None:
    try:
        await http.delete(f"/api/content/{content_id}", params={"permanent": "true"})
    except httpx.TransportError:
        return  # nobody lived to answer


async def _wipe(daemon: FaultyDaemon) -> None:
    """Take every row of the guest out of ZeroDB."""
    tenant_id = daemon.credentials.tenant_id
    async with EmbeddedZeroDB(daemon.data_dir / "zerodb") as store:
        ids = [record.id async for record in store.scan(tenant_id)]
        assert await store.delete_many(tenant_id, ids) >= ITEMS


async def _is_done(daemon: FaultyDaemon, job_id: str) -> bool:
    async with daemon.client(daemon.credentials.operator_key) as http:
        jobs = (await http.get("/api/admin/recovery")).json()["jobs"]
    return any(job["id"] == job_id and job["state"] == "completed" for job in jobs)
