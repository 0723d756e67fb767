"""Commands on embedded stores, beside a daemon and without one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """A data directory with a migrated database that nobody serves."""
    with enterable_directory() as directory:
        migrated = engarde(directory, "migrate", "schema", "--json")
        assert "tenants" in migrated["created"]
        yield directory


def engarde(data_dir: Path, *arguments: str) -> dict[str, Any]:
    """Run a command as a process of its own."""
    program = [sys.executable, "-c", "from engarde_daemon.cli import main; main()"]
    ended = subprocess.run(
        [*program, *arguments, "--data-dir", str(data_dir)],
        capture_output=True,
        check=True,
        cwd=data_dir,
        env={name: text for name, text in os.environ.items() if not name.startswith("ENGARDE_")},
    )
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def is_served(data_dir: Path) -> bool:
    """Whether a server runs on the directory."""
    return (data_dir / "postgres/data/postmaster.pid").exists()


def test_without_a_daemon_the_server_runs_as_long_as_the_command(data_dir: Path):
    """What one command made, the next one finds, and nothing stays behind."""
    made = engarde(data_dir, "tenants", "create", "--name", "Alone", "--json")

    assert not is_served(data_dir)
    listed = engarde(data_dir, "tenants", "list", "--json")["tenants"]
    assert made["tenant_id"] in [tenant["tenant_id"] for tenant in listed]
    assert not is_served(data_dir)


async def test_beside_a_daemon_its_server_is_used_and_left_alone(data_dir: Path):
    """A command sees the daemon's data at once, and the daemon does not notice."""
    async with EmbeddedPostgres(data_dir / "postgres") as server:
        made = engarde(data_dir, "tenants", "create", "--name", "Beside", "--json")

        connection = await asyncpg.connect(server.dsn(), timeout=PATIENCE_S)
        found = await connection.fetchval(
            "select name from public.tenants where id = $1", made["tenant_id"]
        )
        await connection.close(timeout=PATIENCE_S)
        assert found == "Beside"


def test_migrating_again_changes_nothing(data_dir: Path):
    """What has run is not run twice."""
    assert engarde(data_dir, "migrate", "schema", "--json") == {"applied": [], "created": []}


def test_doctor_examines_a_server_of_its_own(data_dir: Path):
    """Every check can be made while no daemon runs."""
    report = engarde(data_dir, "doctor", "--json")

    assert report["ok"] is True
    assert not is_served(data_dir)
