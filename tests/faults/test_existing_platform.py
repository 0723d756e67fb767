"""A daemon that comes to a platform which has been there for years."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.integration.migrations.platform import ACME, Platform, platform_database
from tests.support.oracle import listed
from tests.support.postgres import postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["postgres_server"]


class Newcomer(NamedTuple):
    """The daemon, the platform's database, and a caller of the platform's tenant."""

    daemon: Daemon
    platform: Platform
    http: httpx.AsyncClient


@pytest.fixture
async def newcomer(place: Path, postgres_server: EmbeddedPostgres) -> AsyncIterator[Newcomer]:
    """A daemon that has just started on the platform's database for the first time."""
    async with platform_database(postgres_server) as platform:
        settings = {"ENGARDE_POSTGRES__DSN": platform.dsn}
        async with cleared_away_after(Daemon(place / "data", environ=settings)) as daemon:
            await daemon.start()
            key = await daemon.command("keys", "create", "--tenant", ACME, "--role", "editor")
            async with daemon.client(key["api_key"]) as http:
                yield Newcomer(daemon, platform, http)


async def test_it_makes_no_tenant_of_its_own(newcomer: Newcomer):
    """There are tenants already, and an operator makes their keys."""
    assert not (newcomer.daemon.data_dir / "credentials.json").exists()
    tenants = await newcomer.daemon.command("tenants", "list")
    assert len(tenants["tenants"]) == 3


async def test_it_shows_changes_and_counts_what_was_there(newcomer: Newcomer):
    """Listed, read from PostgreSQL, moved in by its first change, deleted, and counted throughout."""
    http = newcomer.http
    titles = {"cnt_plain": "Plain", "cnt_counted": "Counted", "cnt_odd": "Odd"}
    assert await listed(http) == titles

    read = await http.get("/api/content/cnt_plain")
    assert (read.json()["body"], read.json()["version"]) == ("größe", 1)
    assert read.headers["X-Served-From"] == "staged"

    changed = await http.patch("/api/content/cnt_plain", json={"title": "Moved in"})
    assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
    assert (await http.get("/api/content/cnt_plain")).json()["body"] == "größe"

    assert (await http.delete("/api/content/cnt_odd")).status_code == 200
    assert (await http.get("/api/content/cnt_brandless")).status_code == 404
    usage = (await http.get("/api/content/quota")).json()["usage"]
    assert usage["total_content_items"] == 2
    async with newcomer.platform.session() as sql:
        assert not await sql.fetch("select * from engarde.quota_drift_v2($1)", [ACME])


async def test_the_platforms_own_program_works_beside_it(newcomer: Newcomer):
    """It sees what the daemon changed, and the daemon shows what it adds."""
    await newcomer.http.patch("/api/content/cnt_plain", json={"title": "Changed by the daemon"})

    async with newcomer.platform.session(newcomer.platform.app) as sql:
        title = await sql.fetchval("select title from content_items where id = 'cnt_plain'")
        assert title == "Changed by the daemon"
        await sql.execute(
            "insert into content_items (id, tenant_id, brand_id, user_id, title, content_body, content_type)"
            " values ('cnt_new', 'tenant-acme', 'brand-acme', 'user-acme', 'New', 'text', 'post')"
        )
    assert (await newcomer.http.get("/api/content/cnt_new")).json()["body"] == "text"


async def test_what_the_platforms_rules_refuse_is_refused_and_harms_nobody(newcomer: Newcomer):
    """The platform has removed the user of a key: whoever still has the key is told, time and again."""
    async with newcomer.platform.session(newcomer.platform.owner) as sql:
        await sql.execute("insert into users values ('leaver', 'tenant-acme', null)")
        key = await newcomer.daemon.command(
            "keys", "create", "--tenant", ACME, "--role", "editor", "--user", "leaver"
        )
        await sql.execute("delete from users where id = 'leaver'")

    async with newcomer.daemon.client(key["api_key"]) as http:
        for _ in range(20):
            refused = await http.post("/api/content", json={"title": "Late", "body": "late"})
            assert refused.status_code in {401, 403, 409}, refused.text

    assert (await newcomer.http.get("/healthz")).status_code == 200
    made = await newcomer.http.post("/api/content", json={"title": "Fine", "body": "fine"})
    assert made.status_code == 201
    assert not [event for event in newcomer.daemon.events() if event.get("event") == "restarting"]
