"""A daemon does not start where nothing but its own conditions would keep tenants apart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.database import migrated_template
from tests.support.patience import PATIENCE_S
from tests.support.postgres import fresh_database
from tests.support.running import Daemon, DidNotStart, cleared_away_after

__all__ = ["migrated_template"]

CANNOT_START = 3
ITEMS = "public.content_items"
NOTHING = "select"

HOLES = [
    (f"drop policy tenant_guard on {ITEMS}", NOTHING, f"{ITEMS} has lost its policy tenant_guard"),
    (
        f"alter table {ITEMS} disable row level security",
        NOTHING,
        f"{ITEMS} has row level security switched off",
    ),
    (f"alter table {ITEMS} no force row level security", NOTHING, f"{ITEMS} does not force"),
    (
        f"alter policy tenant_guard on {ITEMS} using (true)",
        NOTHING,
        f"{ITEMS} has a changed tenant_guard",
    ),
    (
        "alter role engarde_api bypassrls",
        "alter role engarde_api nobypassrls",
        "engarde_api may bypass row level security",
    ),
    (
        "grant engarde_owner to engarde_api",
        "revoke engarde_owner from engarde_api",
        "engarde_api may act as engarde_owner",
    ),
]


@asynccontextmanager
async def hole(dsn: str, statement: str, mending: str) -> AsyncIterator[None]:
    """Make a hole; one in a role is mended, for roles belong to the whole server."""
    link = await asyncpg.connect(dsn, timeout=PATIENCE_S, command_timeout=20)
    try:
        await link.execute(statement)
        yield
    finally:
        await link.execute(mending)
        await link.close(timeout=PATIENCE_S)


@pytest.mark.parametrize(("statement", "mending", "words"), HOLES)
async def test_a_start_without_the_guard_is_refused(
    postgres_server: EmbeddedPostgres,
    migrated_template: str,
    tmp_path: Path,
    statement: str,
    mending: str,
    words: str,
):
    """Exit code 3, and one sentence that names the hole."""
    async with fresh_database(postgres_server, migrated_template) as database:
        dsn = postgres_server.dsn(database=database)
        daemon = Daemon(tmp_path / "data", environ={"ENGARDE_POSTGRES__DSN": dsn})
        async with hole(dsn, statement, mending), cleared_away_after(daemon):
            with pytest.raises(DidNotStart) as refused:
                await daemon.start()

    said = [line for line in daemon.log.read_text().splitlines() if not line.startswith("{")]
    assert refused.value.exit_code == CANNOT_START
    assert len(said) == 1, said
    assert said[0].startswith("engarde cannot start: Tenants are not safely apart: ")
    assert words in said[0]
