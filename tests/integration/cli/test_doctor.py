"""What `engarde doctor` sees of a real database."""

import json

import asyncpg
import pytest

from tests.integration.cli.conftest import Engarde
from tests.support.patience import PATIENCE_S


async def execute(dsn: str, statement: str, *arguments: object) -> None:
    """Do something to the database that should never happen."""
    connection = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close(timeout=PATIENCE_S)


def checks_of(run: Engarde) -> dict[str, dict[str, str]]:
    """What doctor says, by check."""
    report = json.loads(run("doctor", "--json").stdout)
    return {check["check"]: check for check in report["checks"]}


async def test_a_database_without_the_schema_is_told_how_to_get_it(dsn: str, run: Engarde):
    """What stands on the schema is not checked without it."""
    await execute(dsn, "drop schema engarde cascade")

    checks = checks_of(run)

    assert checks["migrations"]["state"] == "fault"
    assert "engarde migrate schema" in checks["migrations"]["advice"]
    assert "quota" not in checks


async def test_a_changed_migration_is_a_fault(dsn: str, run: Engarde):
    """A database made by another release is named as such."""
    await execute(dsn, "update engarde.schema_migrations set checksum = 'other'")

    assert "has run in another form" in checks_of(run)["PostgreSQL"]["detail"]


async def test_a_hole_between_tenants_is_a_fault(dsn: str, run: Engarde):
    """The table that lost its guard is named."""
    await execute(dsn, "drop policy tenant_guard on engarde.content_versions")

    check = checks_of(run)["tenant isolation"]

    assert check["state"] == "fault"
    assert "engarde.content_versions has lost its policy tenant_guard" in check["detail"]


async def test_a_ledger_that_disagrees_with_the_content_is_a_fault(dsn: str, run: Engarde):
    """The tenant and both figures are named."""
    run("tenants", "create", "--name", "Acme")
    await execute(dsn, "update public.content_storage_usage set total_storage_bytes = 7")

    check = checks_of(run)["quota"]

    assert check["state"] == "fault"
    assert ": 7 instead of 0" in check["detail"]


@pytest.mark.parametrize(
    ("waited_s", "size_bytes", "state"),
    [(0, 10, "ok"), (3600, 10, "warning"), (0, 2**31, "fault")],
)
async def test_bodies_that_wait_are_judged_by_age_and_size(
    dsn: str, run: Engarde, waited_s: int, size_bytes: int, state: str
):
    """Late delivery is a warning; a full staging area refuses writes and is a fault."""
    await execute(
        dsn, "insert into engarde.staged_bodies values ('t', 'c', 1, 'body', $1)", size_bytes
    )
    await execute(
        dsn,
        "insert into engarde.outbox (destination, tenant_id, content_id, version, created_at)"
        " values ('zerodb', 't', 'c', 1, now() - make_interval(secs => $1))",
        waited_s,
    )

    check = checks_of(run)["delivery"]

    assert check["state"] == state
    assert check["detail"].startswith("1 versions wait for ZeroDB")


async def test_everything_in_order(run: Engarde):
    """A migrated database with a tenant passes every check."""
    run("tenants", "create", "--name", "Acme")

    ended = run("doctor")

    assert ended.exit_code == 0, ended.stdout
    assert {line.split()[0] for line in ended.stdout.splitlines()} == {"ok"}
    assert "drift is 0 over 1 tenants" in ended.stdout
