"""Servers as other processes see them: daemons to be killed, queries, and waiting for the end."""

# ruff: noqa: ASYNC240 - nothing else runs in a test's event loop

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.abc
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import (
    EmbeddedPostgres,
    evidence,
)
from engarde_daemon.adapters.postgres.embedded.process import WatchedProcess
from tests.support.patience import PATIENCE_S

DAEMON = Path(__file__).with_name("daemon_process.py")
NOBODY = pwd.getpwnam("nobody")
UNKNOWN_UID = 54_321


def without_privileges(uid: int) -> list[str]:
    """The command prefix that runs Python as another user, who may read where it is installed."""
    read_anything = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *read_anything]


def _can_become_nobody() -> bool:
    """Whether root may also hand on the capability, which containers often withhold."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    trial = [*without_privileges(NOBODY.pw_uid), sys.executable, "-c", ""]
    return subprocess.run(trial, check=False, capture_output=True, timeout=10).returncode == 0


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its user")
as_user = pytest.mark.skipif(
    not _can_become_nobody(),
    reason="needs root with setpriv and all capabilities; for others every test is this one",
)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")


@contextlib.asynccontextmanager
async def daemon(
    root: Path, *options: str, uid: int | None = None
) -> AsyncIterator[tuple[anyio.abc.Process, str]]:
    """Another process that manages `root`, and the line it printed after its start."""
    prefix = [] if uid is None else without_privileges(uid)
    command = [*prefix, sys.executable, str(DAEMON), str(root), *options]
    async with await anyio.open_process(command, stderr=None) as process:
        assert process.stdout is not None
        with anyio.fail_after(PATIENCE_S):
            said = (await process.stdout.receive()).decode()
        yield process, said


async def ask(server: EmbeddedPostgres, question: str) -> object:
    """The answer to one query."""
    connection = await asyncpg.connect(server.dsn(), timeout=PATIENCE_S)
    try:
        return await connection.fetchval(question, timeout=10)
    finally:
        await connection.close(timeout=PATIENCE_S)


def server_pid(root: Path) -> int:
    """The process id of the server that runs in `root`."""
    said = evidence.read_pid_file(root / "data")
    assert said is not None
    return said.pid


async def ended(pid: int) -> None:
    """Wait until a process that is not our child has ended."""
    with anyio.fail_after(PATIENCE_S):
        await WatchedProcess(pid).wait()


async def appeared(path: Path) -> None:
    """Wait until another process has made the file."""
    with anyio.fail_after(PATIENCE_S):
        while not path.exists():
            await anyio.sleep(0.005)
