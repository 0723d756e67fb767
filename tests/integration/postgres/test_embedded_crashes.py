"""Every way to kill the embedded PostgreSQL or its daemon, and what must survive it."""

# ruff: noqa: ASYNC220, ASYNC222, ASYNC240 - nothing else runs in a test's event loop

import ctypes
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import anyio
import anyio.abc
import pytest

from engarde_daemon.adapters.postgres.embedded import (
    EmbeddedPostgres,
    evidence,
)
from tests.integration.postgres.servers import (
    DAEMON,
    NOBODY,
    appeared,
    as_user,
    ask,
    daemon,
    ended,
    on_linux,
    server_pid,
)
from tests.support.patience import PATIENCE_S


async def ended_unreaped(pid: int) -> None:
    """Wait until a child has ended, leaving it a zombie."""
    with anyio.fail_after(PATIENCE_S):
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            await anyio.sleep(0.005)


@pytest.fixture
def orphans_become_ours():
    """Make this process what PID 1 is in a container: the parent of every orphan below it."""
    set_child_subreaper = 36  # <linux/prctl.h>
    libc = ctypes.CDLL(None)
    libc.prctl(set_child_subreaper, 1)
    yield
    libc.prctl(set_child_subreaper, 0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT])
async def test_a_killed_server_is_noticed_and_recovers(root, number):
    """Neither kill -9 nor an immediate stop loses a committed row."""
    async with EmbeddedPostgres(root) as server:
        await ask(server, "drop table if exists kept")
        await ask(server, "create table kept as select 37 as number")
        os.kill(server_pid(root), number)
        with anyio.fail_after(PATIENCE_S):
            await server.wait_died()
        await server.start()
        assert await ask(server, "select number from kept") == 37


async def test_the_end_of_an_adopted_server_is_noticed_without_pidfd(root, monkeypatch):
    """Older kernels and macOS have none: then the process is polled."""
    monkeypatch.delattr("os.pidfd_open", raising=False)
    async with daemon(root) as (process, _):
        process.kill()
    async with EmbeddedPostgres(root) as server:
        os.kill(server_pid(root), signal.SIGQUIT)
        with anyio.fail_after(PATIENCE_S):
            await server.wait_died()


async def test_an_orphaned_initdb_is_waited_for(place):
    """A daemon killed on its very first start leaves initdb at work in data.new."""
    async with await anyio.open_process(
        [sys.executable, str(DAEMON), str(place / "pg")], stderr=None
    ) as process:
        await appeared(place / "pg" / "data.new" / "PG_VERSION")
        process.kill()
    assert evidence.try_lock(place / "pg" / "server.lock") is None
    async with EmbeddedPostgres(place / "pg", ephemeral=True) as server:
        assert await ask(server, "select 1") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_an_orphan_is_adopted_and_later_stopped(root, number):
    """A durable server outlives its daemon; the next one takes it over, and also ends it."""
    async with daemon(root) as (process, _):
        process.send_signal(number)
    orphan = server_pid(root)
    async with EmbeddedPostgres(root) as server:
        assert server_pid(root) == orphan
        assert await ask(server, "select 1") == 1
    assert not evidence.serves(orphan, root / "data")


@as_user
async def test_an_ordinary_user_starts_adopts_and_stops_a_server(place):
    """Without root the server runs as the daemon's own user, and nothing else is needed."""
    os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
    async with daemon(place / "pg", uid=NOBODY.pw_uid) as (process, said):
        assert said == "ready"
        process.kill()
    orphan = server_pid(place / "pg")
    assert Path(f"/proc/{orphan}").stat().st_uid == NOBODY.pw_uid
    assert stat.S_IMODE((place / "pg").stat().st_mode) == 0o700
    async with daemon(place / "pg", uid=NOBODY.pw_uid) as (_, said):
        assert said == "ready"
        assert server_pid(place / "pg") == orphan
    await ended(orphan)


@on_linux
async def test_an_ephemeral_server_dies_with_its_daemon(root):
    """A killed test run leaves no server behind."""
    async with daemon(root, "--ephemeral") as (process, said):
        assert said == "ready"
        server = server_pid(root)
        process.kill()
    await ended(server)


@on_linux
@as_user
async def test_an_ephemeral_server_of_an_ordinary_user_dies_with_its_daemon(place):
    """The bond between the two needs no privileges."""
    os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
    async with daemon(place / "pg", "--ephemeral", uid=NOBODY.pw_uid) as (process, said):
        assert said == "ready"
        server = server_pid(place / "pg")
        process.kill()
    await ended(server)


async def test_a_reused_process_id_does_not_stop_the_start(root):
    """After a crash of the machine another process may bear the number in postmaster.pid."""
    server = EmbeddedPostgres(root, ephemeral=True)
    await server.start()
    paths = (root / "data" / "postmaster.pid", root / "run" / ".s.PGSQL.5432.lock")
    traces = {path: path.read_text().split("\n") for path in paths}
    await server.stop()
    owner = (root / "data").stat().st_uid
    sleep = shutil.which("sleep")
    # Not `user=`: it makes Python fork, which gRPC does not survive where other tests loaded it.
    become = (
        f"import os; os.setuid({owner}); os.write(1, b'\\n'); os.execv({sleep!r}, ['sleep', '60'])"
    )
    command = [sys.executable, "-c", become]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as stranger:
        try:
            assert stranger.stdout is not None
            stranger.stdout.readline()
            for path, lines in traces.items():
                path.write_text("\n".join([str(stranger.pid), *lines[1:]]))
            async with server:
                assert await ask(server, "select 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


@on_linux
async def test_a_zombie_is_not_taken_for_a_server(root, orphans_become_ours):
    """In a container whose PID 1 does not reap, a killed server stays in the process table."""
    async with daemon(root) as (process, _):
        process.kill()
    zombie = server_pid(root)
    os.kill(zombie, signal.SIGKILL)
    await ended_unreaped(zombie)
    async with EmbeddedPostgres(root) as server:
        assert await ask(server, "select 1") == 1
    assert os.waitpid(zombie, 0)[0] == zombie


@on_linux
async def test_an_adopted_server_is_reaped_when_it_is_our_child(root, orphans_become_ours):
    """As PID 1 the daemon is the parent of orphans: nobody else would clear them away."""
    async with daemon(root) as (process, _):
        process.kill()
    async with EmbeddedPostgres(root):
        orphan = server_pid(root)
    with pytest.raises(ChildProcessError):
        os.waitpid(orphan, os.WNOHANG)
