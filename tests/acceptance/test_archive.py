"""`engarde archive query` while the daemon runs: every version once, and the newest as PostgreSQL has it."""

import json
from typing import Any

import anyio
import asyncpg
import httpx

from tests.acceptance.content import created
from tests.support.commands import run_command
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.patience import PATIENCE_S

_ITEMS = """
    select id, version, title, status, deleted_at is not null as deleted, bigquery_backed_up
    from content_items where tenant_id = $1 order by id
"""
_VERSIONS = """
    select content_id, version, change_type, content_body from content_snapshots
    where tenant_id = '$1'
"""
_CURRENT = """
    select content_id as id, version, title, status, deleted_at is not null as deleted
    from content_current where tenant_id = '$1' order by id
"""


def ask(daemon: SharedDaemon, question: str) -> list[dict[str, Any]]:
    """What the command prints, row by row."""
    data_dir = str(daemon.process.data_dir)
    done = run_command("archive", "query", question, "--json", "--data-dir", data_dir, environ={})
    assert done.exit_code == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return rows


async def test_what_was_created_changed_and_deleted(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Each version is there once, and the current view is what PostgreSQL says."""
    kept, changed, deleted = [await created(http, title=f"T{n}", body=f"B{n}") for n in range(3)]
    await http.patch(f"/api/content/{changed['id']}", json={"title": "New title"})
    await http.patch(f"/api/content/{changed['id']}", json={"body": "New body"})
    await http.delete(f"/api/content/{deleted['id']}")
    await daemon.until_carried(tenant)

    whose = tenant.tenant_id
    versions = await anyio.to_thread.run_sync(ask, daemon, _VERSIONS.replace("$1", whose))
    current = await anyio.to_thread.run_sync(ask, daemon, _CURRENT.replace("$1", whose))

    assert sorted(
        (v["content_id"], v["version"], v["change_type"], v["content_body"]) for v in versions
    ) == sorted(
        [
            (kept["id"], 1, "create", "B0"),
            (changed["id"], 1, "create", "B1"),
            (changed["id"], 2, "update", "B1"),
            (changed["id"], 3, "update", "New body"),
            (deleted["id"], 1, "create", "B2"),
            (deleted["id"], 2, "delete", "B2"),
        ]
    )
    assert current == await items_of(daemon, tenant)


async def items_of(daemon: SharedDaemon, tenant: Tenant) -> list[dict[str, Any]]:
    """The items as PostgreSQL has them, all of which must be marked as archived."""
    link = await asyncpg.connect(daemon.dsn, timeout=PATIENCE_S)
    try:
        rows = [dict(row) for row in await link.fetch(_ITEMS, tenant.tenant_id)]
    finally:
        link.terminate()
    assert all(row.pop("bigquery_backed_up") for row in rows)
    return rows


async def test_the_three_forms_of_an_answer(daemon: SharedDaemon):
    """A table for people, CSV and JSON for programs."""
    question = "select 1 as one, 'a,b' as words, null as nothing, [1, 2] as list"

    where = ("--data-dir", str(daemon.process.data_dir))
    printed = [
        run_command("archive", "query", question, *form, *where, environ={}).stdout
        for form in ((), ("--csv",), ("--json",))
    ]

    assert printed == [
        "one  words  nothing  list\n1    a,b    -        [1,2]\n",
        'one,words,nothing,list\n1,"a,b",,"[1,2]"\n',
        '{"rows":[{"one":1,"words":"a,b","nothing":null,"list":[1,2]}]}\n',
    ]


async def test_numbers_that_json_has_no_word_for_are_null(daemon: SharedDaemon):
    """And no reason to end with a traceback."""
    question = "select 'nan'::double as a, [-'inf'::double] as b, 'NaN' as c"

    assert ask(daemon, question) == [{"a": None, "b": [None], "c": "NaN"}]


async def test_the_lag_is_shown(daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient):
    """In the metrics and by the command."""
    await created(http)
    await daemon.until_carried(tenant)

    metrics = (await http.get("/metrics")).text
    status = await anyio.to_thread.run_sync(daemon.command, "archive", "status")

    assert "engarde_archive_up 1.0" in metrics
    assert "engarde_archive_parked_rows 0.0" in metrics
    assert (status["parked"], status["backfill"]) == (0, 0)
