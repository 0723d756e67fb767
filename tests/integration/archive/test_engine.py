"""The archive's engine, whose calls may be left alone."""

from pathlib import Path

import anyio
import duckdb
import pytest

from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.adapters.archive.engine import Engine
from engarde_daemon.domain.errors import Unavailable

ENDLESS = "select count(*) from range(100000000000)"


async def test_it_ends_although_a_call_runs_that_nobody_waits_for(tmp_path: Path):
    """A call that ran out of time is interrupted, and the engine is closed behind it."""
    engine = Engine(tmp_path, timeout_s=0.5)
    await engine.open()

    def count(cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute(ENDLESS)

    with pytest.raises(Unavailable, match="did not answer"):
        await engine.run(count)
    await engine.close()

    with pytest.raises(Unavailable, match="closed"):
        await engine.run(count)


async def test_several_may_prepare_one_archive_at_once(tmp_path: Path):
    """A daemon has a replicator for each table, and each begins with that."""
    for number in range(10):
        root = tmp_path / str(number)
        async with (
            EmbeddedArchive(root, timeout_s=10.0, now=lambda: 0.0) as archive,
            anyio.create_task_group() as tasks,
        ):
            for _ in range(3):
                tasks.start_soon(archive.prepare)
