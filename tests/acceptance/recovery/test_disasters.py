"""ZeroDB is lost in every way, and nothing else is."""

import copy
import shutil

import anyio

from engarde_daemon.testing.zerodb_cloud import Fault
from tests.acceptance.recovery.conftest import OPEN_S, ZERODB_TIMEOUT_S, Site
from tests.support.daemon import SharedDaemon

FOR_EVER = 10**9


async def test_a_zerodb_that_does_not_answer_costs_nobody_anything(site: Site):
    """Writes go on, reads come from elsewhere and say so, and afterwards all verifies."""
    old = await site.write(5)
    await site.until_carried()
    assert await site.read(old[0]) == "zerodb"

    site.cloud.faults.add(Fault.BLACK_HOLE, count=FOR_EVER)
    new = await site.write(20)
    await site.until("failed_over")
    requests, since = len(site.cloud.requests), anyio.current_time()
    new += await site.write(20)
    assert [await site.read(content_id) for content_id in old] == ["archive"] * 5
    assert {await site.read(content_id) for content_id in new} == {"staged"}
    async with site.daemon.client() as http:
        page = await http.get("/api/content", params={"pageSize": 100})
        ready = await http.get("/readyz")
    assert page.json()["pagination"]["total"] == 45
    assert ready.status_code == 200
    assert 'engarde_store_state{state="failed_over",store="zerodb"} 1.0' in await site.metrics()
    probes = (anyio.current_time() - since) / OPEN_S + 2
    assert len(site.cloud.requests) - requests <= probes, "only probes ask it"
    assert site.slowest_s < ZERODB_TIMEOUT_S, "no write waits for a time-out of ZeroDB"

    site.cloud.faults.clear()
    await site.until("healthy")
    await site.until_carried()
    code, told = await site.command("verify")
    assert (code, told["report"]["differences_total"]) == (0, 0)
    assert told["report"]["counts"]["zerodb"] == 45


async def test_a_zerodb_that_was_wiped_gets_everything_back_while_writes_go_on(site: Site):
    """What is written meanwhile is there as well."""
    await site.write(40)
    await site.until_carried()
    for table in site.cloud.tables.values():
        table.rows.clear()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(site.write, 20)
        code, told = await site.command("restore", "content")
    assert (code, told["state"], told["report"]["restored"]) == (0, "completed", 40)

    await site.until_carried()
    code, told = await site.command("verify")
    assert (code, told["report"]["differences_total"]) == (0, 0)
    assert told["report"]["counts"]["zerodb"] == 60


async def test_a_job_outlives_the_daemon_that_began_it(site: Site):
    """The next one goes on where it was."""
    await site.write(40)
    await site.until_carried()
    for table in site.cloud.tables.values():
        table.rows.clear()
    async with site.daemon.client(site.daemon.credentials.operator_key) as http:
        ordered = (await http.post("/api/admin/recovery/restore")).json()
    await site.daemon.kill()
    await site.daemon.start()

    code, told = await site.command("verify")
    while (await site.recovery())["jobs"][-1]["state"] in ("pending", "running"):
        await anyio.sleep(0.1)
    code, told = await site.command("verify")
    (restored,) = [j for j in (await site.recovery())["jobs"] if j["id"] == ordered["id"]]
    assert (restored["state"], restored["done"]) == ("completed", 40)
    assert (code, told["report"]["differences"]) == (0, [])


async def test_planted_defects_are_each_named(site: Site):
    """And the exit code says that there are any; restore mends them."""
    missing, changed, twice, _ = await site.write(4)
    await site.until_carried()
    table = site.cloud.tables["content_items"]
    rows = {row.row_data["id"]: row for row in table.rows.values()}
    del table.rows[rows[missing].row_id]
    rows[changed].row_data["content_body"] = "rotten"
    double = copy.deepcopy(rows[twice])
    double.row_id = "another"
    double.row_data["content_body"] = "other"
    table.rows["another"] = double

    code, told = await site.command("verify")
    assert code == 1
    named = {(one["content_id"], one["kind"]) for one in told["report"]["differences"]}
    assert named == {
        (missing, "missing row"),
        (changed, "changed body"),
        (twice, "duplicate with other body"),
    }

    code, told = await site.command("restore", "content")
    assert (code, told["report"]["restored"]) == (0, 3)
    await site.until("healthy")
    code, told = await site.command("verify")
    assert (code, told["report"]["differences"]) == (0, [])


async def test_an_operator_can_take_zerodb_out_of_service(site: Site):
    """It holds through a restart, and nothing asks ZeroDB meanwhile."""
    (old,) = await site.write(1)
    await site.until_carried()
    async with site.daemon.client(site.daemon.credentials.operator_key) as http:
        ordered = await http.post("/api/admin/recovery/failover")
    assert ordered.json()["state"] == "failed_over"
    assert await site.daemon.stop() == 0
    await site.daemon.start()
    assert await site.read(old) == "archive"

    async with site.daemon.client(site.daemon.credentials.operator_key) as http:
        await http.post("/api/admin/recovery/failback")
    await site.until("healthy")
    assert await site.read(old) == "zerodb"


async def test_a_postgresql_that_was_lost_is_made_anew_from_the_archive(site: Site):
    """Items, versions and usage; what cannot be is listed, and everything verifies."""
    first, *_ = await site.write(5)
    async with site.daemon.client() as http:
        retitled = await http.patch(f"/api/content/{first}", json={"title": "Another"})
        assert retitled.status_code == 200
        before = (await http.get("/api/content/quota")).json()["usage"]
    await site.until_carried()
    assert await site.daemon.stop() == 0
    shutil.rmtree(site.daemon.data_dir / "postgres")

    code, told = await site.command("restore", "metadata")
    assert (code, told["items"], told["versions"], told["gaps"]) == (0, 5, 6, 0)
    assert any("API keys" in line for line in told["not_rebuilt"])
    code, _ = await site.command("restore", "metadata")
    assert code == 1, "nothing is mixed into what is there"

    tenant = site.daemon.credentials.tenant_id
    key = await site.daemon.command("keys", "create", "--tenant", tenant, "--role", "operator")
    await site.daemon.start()
    code, told = await site.command("verify", "--key", key["api_key"])
    assert (code, told["report"]["differences"]) == (0, [])
    async with site.daemon.client(key["api_key"]) as http:
        item = (await http.get(f"/api/content/{first}")).json()
        after = (await http.get("/api/content/quota")).json()["usage"]
    assert (item["title"], item["body"], item["version"]) == ("Another", site.written[first], 2)
    figures = ("total_content_items", "total_storage_bytes")
    assert [after[name] for name in figures] == [before[name] for name in figures]


async def test_bodies_move_to_another_zerodb_and_back_while_writes_go_on(site: Site):
    """Nothing is missing on either side, and what was there is kept."""
    await site.write(30)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(site.write, 20)
        code, told = await site.command("migrate", "zerodb")
    assert (code, told["state"], told["report"]["differences"]) == (0, "completed", [])
    (moved,) = await site.write(1)
    await site.until_carried()
    code, told = await site.command("verify")
    assert (code, told["report"]["counts"]["zerodb"]) == (0, 51)
    held = {row["id"] for row in site.cloud.rows("content_items")}
    assert moved not in held, "the one before takes nothing more"

    code, told = await site.command("migrate", "zerodb", "--back")
    assert (code, told["report"]["differences"]) == (0, [])
    assert moved in {row["id"] for row in site.cloud.rows("content_items")}
    code, told = await site.command("verify")
    assert (code, told["report"]["counts"]["zerodb"]) == (0, 51)
    assert [await site.read(content_id) for content_id in (moved,)] == ["zerodb"]


async def test_only_operators_may(shared_daemon: SharedDaemon):
    """An administrator of a tenant is not one."""
    key = shared_daemon.new_key(shared_daemon.new_tenant(), "admin")
    async with shared_daemon.caller(key.api_key) as http:
        refused = [
            (await http.get("/api/admin/recovery")).status_code,
            (await http.get("/api/admin/recovery/any")).status_code,
            *[
                (await http.post(f"/api/admin/recovery/{order}")).status_code
                for order in ("failover", "failback", "restore", "verify", "migrate", "any/cancel")
            ],
        ]
    assert refused == [403] * 8
