"""What `engarde status` says when no daemon runs, and when there is not even a database."""

import json

import asyncpg
import pytest

from tests.integration.cli.conftest import Engarde
from tests.support.commands import run_command
from tests.support.patience import PATIENCE_S


async def test_a_stopped_daemon_leaves_its_content_to_be_looked_at(dsn: str, run: Engarde):
    """The exit code says that nobody is ready."""
    run("tenants", "create", "--name", "Acme")

    done = run("status", "--json")
    seen = json.loads(done.stdout)

    assert done.exit_code == 1
    assert seen["daemon"]["runs"] is False
    assert seen["content"]["tenants"] == 1
    assert seen["risk"] == "every version is in ZeroDB and the archive"


async def test_what_a_store_lacks_is_said_in_words(dsn: str, run: Engarde):
    """By store, and that it is safe meanwhile."""
    link = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    try:
        for version, destination in ((1, "zerodb"), (2, "zerodb"), (1, "bigquery")):
            await link.execute(
                "insert into engarde.outbox (destination, tenant_id, content_id, version)"
                " values ($1, 't', 'c', $2)",
                destination,
                version,
            )
    finally:
        await link.close(timeout=PATIENCE_S)

    seen = json.loads(run("status", "--json").stdout)

    assert seen["risk"] == (
        "every version is in PostgreSQL; 2 not yet in ZeroDB and 1 not yet in the archive"
    )
    assert seen["content"]["waiting_zerodb"] == 2


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "There is no database in"),
        ({"ENGARDE_POSTGRES__DSN": "postgresql://a:b@127.0.0.1:1/c"}, "127.0.0.1:1/c"),
    ],
)
def test_without_a_database_the_reason_is_given(
    tmp_path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], words: str
):
    """And no traceback."""
    monkeypatch.chdir(tmp_path)

    done = run_command("status", environ=environ)

    assert done.exit_code == 1
    assert "does not run" in done.stdout
    assert words in done.stdout
