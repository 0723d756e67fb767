"""A daemon to be backed up, and the commands that do it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from tests.faults.conftest import data_dir, place, seed, told_seed, used_data_dir
from tests.support.running import ENGARDE, Daemon, cleared_away_after, environment

__all__ = ["data_dir", "place", "seed", "told_seed", "used_data_dir"]


async def engarde(*arguments: str | Path, cwd: Path) -> tuple[int, dict[str, Any], str]:
    """The exit code of a command, its answer as JSON if it has any, and what else it said."""
    done = await anyio.run_process(
        [ENGARDE, *map(str, arguments), "--json"], env=environment({}), cwd=cwd, check=False
    )
    told = msgspec.json.decode(done.stdout) if done.stdout else {}
    return done.returncode, told, done.stderr.decode()


@pytest.fixture
async def daemon(data_dir: Path) -> AsyncIterator[Daemon]:
    """A daemon that serves."""
    async with cleared_away_after(Daemon(data_dir)) as daemon:
        await daemon.start()
        yield daemon


@pytest.fixture
async def kept(data_dir: Path, place: Path) -> Path:
    """A backup of a daemon that does not run."""
    code, _, said = await engarde("backup", place / "kept", "--data-dir", data_dir, cwd=place)
    assert code == 0, said
    return place / "kept"
