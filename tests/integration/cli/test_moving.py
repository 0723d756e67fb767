"""`engarde migrate campaign-assets` and `engarde migrate content-items`, as they are typed."""

import asyncpg
import pytest

from engarde_daemon.exit_codes import ExitCode
from tests.integration.cli.conftest import Engarde, answer_of
from tests.support.database import LARGE, add_tenant
from tests.support.patience import PATIENCE_S

_OLD = """
    insert into content_items (id, tenant_id, brand_id, user_id, title, content_body, content_type)
    values (gen_random_uuid()::text, $1, $2, $3, 'Old', 'An old text', 'post')
"""


@pytest.fixture
async def old_item(dsn: str) -> None:
    """An item that the platform wrote."""
    sql = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    tenant = await add_tenant(sql, LARGE)
    await sql.execute(_OLD, tenant.id, tenant.brand_id, tenant.user_id)
    await sql.close()


@pytest.mark.usefixtures("old_item")
def test_a_migration_tells_what_it_did(run: Engarde):
    """As one object for scripts: looked at, done, and nothing left to do."""
    looked = answer_of(run("migrate", "content-items", "--dry-run", "--json"))
    done = answer_of(run("migrate", "content-items", "--clear-source", "--json"))
    again = answer_of(run("migrate", "content-items", "--json"))

    assert (looked["dry_run"], looked["found"], looked["bytes"]) == (True, 1, 11)
    assert (done["migrated"], done["bytes"], done["kept_texts"]) == (1, 11, 1)
    assert (again["found"], again["migrated"]) == (0, 0)


def test_there_may_be_nothing_to_do(run: Engarde):
    """That is no failure."""
    assert answer_of(run("migrate", "campaign-assets", "--json"))["found"] == 0


async def test_rows_that_cannot_be_moved_end_in_a_code_of_their_own(run: Engarde, dsn: str):
    """With a word to whoever sits before it."""
    sql = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    tenant = await add_tenant(sql, LARGE)
    await sql.execute(_OLD, tenant.id, None, tenant.user_id)
    await sql.close()

    result = run("migrate", "content-items")

    assert result.exit_code == ExitCode.REFUSED
    assert "could not be moved" in result.stderr


@pytest.mark.parametrize("what", ["campaign-assets", "content-items"])
def test_without_a_database_there_is_nothing_to_move(
    what: str, tmp_path: object, run: Engarde, monkeypatch: pytest.MonkeyPatch
):
    """None is made for it."""
    result = run("migrate", what, environ={})

    assert result.exit_code == ExitCode.CANNOT_START
    assert "There is no database" in result.stderr
