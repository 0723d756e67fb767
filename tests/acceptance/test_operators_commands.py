"""`engarde status` and `engarde doctor` beside a running daemon."""

import httpx
import pytest

from tests.acceptance.content import created
from tests.support.commands import run_command
from tests.support.daemon import SharedDaemon


@pytest.fixture
def place(daemon: SharedDaemon) -> list[str]:
    """What tells a command where the daemon is: its port is in no file here."""
    return ["--data-dir", str(daemon.process.data_dir)]


async def test_status_shows_a_daemon_that_is_well(daemon: SharedDaemon, http: httpx.AsyncClient):
    """With its actors, its stores, and where content is, in words."""
    await created(http)

    seen = daemon.command("status")

    assert seen["daemon"]["runs"] is True
    assert seen["daemon"]["base_url"] == daemon.process.base_url
    assert seen["daemon"]["unready"] is None
    assert seen["daemon"]["version"] == "0.1.0"
    assert seen["daemon"]["actors"] > 10
    assert (seen["daemon"]["zerodb"], seen["daemon"]["archive"]) == ("healthy", "healthy")
    assert seen["content"]["items"] >= 1
    assert seen["content"]["tenants"] >= 1
    assert seen["fault"] is None


async def test_doctor_sees_the_daemon_that_runs(daemon: SharedDaemon):
    """And finds nothing wrong with it."""
    checks = {check["check"]: check for check in daemon.command("doctor")["checks"]}

    assert checks["daemon"]["state"] == "ok"
    assert checks["daemon"]["detail"] == f"runs on {daemon.process.base_url} and is ready"
    assert {"program", "settings", "secret files", "clock", "replication", "media store"} <= set(
        checks
    )
    assert {check["state"] for check in checks.values()} == {"ok"}


async def test_one_screen_is_enough(daemon: SharedDaemon, place: list[str]):
    """Every line is one thing, named at its start."""
    done = run_command("status", *place, environ={"ENGARDE_POSTGRES__DSN": daemon.dsn})

    names = [line[:12].strip() for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert names == [
        "daemon",
        "actors",
        "ZeroDB",
        "archive",
        "PostgreSQL",
        "content",
        "waiting",
        "jobs",
        "safety",
    ]
