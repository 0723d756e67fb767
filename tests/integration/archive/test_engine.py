"""The archive's engine, whose calls may be left alone."""

from pathlib import Path

import duckdb
import pytest

from engarde_daemon.adapters.archive.engine import Engine
from engarde_daemon.domain.errors import Unavailable

ENDLESS = "select count(*) from range(100000000000)"


async def test_it_ends_although_a_call_runs_that_nobody_waits_for(tmp_path: Path):
    """A call that ran out of time is interrupted, and the engine is closed behind it."""
    engine = Engine(tmp_path, timeout_s=0.05)
    await engine.open()

    def count(cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute(ENDLESS)

    with pytest.raises(Unavailable, match="did not answer"):
        await engine.run(count)
    await engine.close()

    with pytest.raises(Unavailable, match="closed"):
        await engine.run(count)
