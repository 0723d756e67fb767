"""Where the embedded PostgreSQL refuses to start, and how it says so."""

# ruff: noqa: ASYNC240 - nothing else runs in a test's event loop

import os
import stat
from pathlib import Path

import pytest

from engarde_daemon.adapters.postgres.embedded import (
    AlreadyManagedError,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    evidence,
)
from engarde_daemon.adapters.postgres.embedded import server as server_module
from tests.integration.postgres.servers import (
    UNKNOWN_UID,
    as_root,
    as_user,
    ask,
    daemon,
)


async def test_a_second_daemon_is_refused_and_told_which_directory_is_taken(root):
    """Two processes can never manage one directory."""
    async with EmbeddedPostgres(root, ephemeral=True), daemon(root) as (_, said):
        assert said.startswith("AlreadyManagedError: ")
        assert str(root) in said
        assert "stop that daemon first" in said


async def test_a_refused_daemon_knows_the_address_of_the_running_server(root):
    """A command beside the running daemon can use its server without managing it."""
    async with EmbeddedPostgres(root, ephemeral=True):
        beside = EmbeddedPostgres(root)
        with pytest.raises(AlreadyManagedError):
            await beside.start()
        assert await ask(beside, "select 1") == 1


@as_root
async def test_a_closed_parent_is_named_and_left_closed(place):
    """Root's server user cannot pass a directory of mode 0700, and we never open it ourselves."""
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=rf"cannot enter {closed}, .* chmod o\+x"):
        await EmbeddedPostgres(closed / "deep" / "pg").start()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


async def test_data_of_another_major_version_is_refused(place):
    """A data directory is only opened by the version that made it."""
    (place / "pg" / "data").mkdir(parents=True)
    (place / "pg" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 9.* pg_dump"):
        await EmbeddedPostgres(place / "pg").start()


async def test_a_directory_with_other_files_is_never_taken_for_a_new_one(place):
    """Files of something else in data/ stop the start and stay."""
    (place / "pg" / "data").mkdir(parents=True)
    (place / "pg" / "data" / "thesis.txt").touch()
    with pytest.raises(EmbeddedPostgresError, match="no data directory of PostgreSQL"):
        await EmbeddedPostgres(place / "pg").start()
    assert (place / "pg" / "data" / "thesis.txt").exists()


async def test_a_directory_without_binaries_is_refused(place):
    """An explicit directory of binaries is not silently replaced by another installation."""
    with pytest.raises(EmbeddedPostgresError, match=rf"none in {place}"):
        await EmbeddedPostgres(place / "pg", bin_dir=place).start()


@pytest.mark.parametrize(
    ("run_as", "reason"), [("root", "refuses to run as root"), ("nobody-at-all", "no such user")]
)
@as_root
async def test_an_impossible_server_user_is_refused(place, run_as, reason):
    """The server runs neither as root nor as a user that does not exist."""
    with pytest.raises(EmbeddedPostgresError, match=reason):
        await EmbeddedPostgres(place / "pg", run_as=run_as).start()


@as_user
async def test_a_uid_without_passwd_entry_is_told_its_ways_out(place):
    """There initdb cannot work, and its own message would not help."""
    os.chown(place, UNKNOWN_UID, UNKNOWN_UID)
    async with daemon(place / "pg", uid=UNKNOWN_UID) as (_, said):
        assert f"passwd entry for uid {UNKNOWN_UID}" in said
        assert "set a DSN" in said


async def test_an_unwritable_directory_is_an_error_that_names_it(place):
    """A file where the root should be is reported like any other trouble of the system."""
    (place / "pg").touch()
    with pytest.raises(EmbeddedPostgresError, match=rf"{place}/pg"):
        await EmbeddedPostgres(place / "pg").start()


async def test_a_link_in_place_of_the_socket_directory_is_refused(place, monkeypatch):
    """In a shared temp directory somebody else may have taken our name first."""
    monkeypatch.setattr("tempfile.tempdir", str(place))
    server = EmbeddedPostgres(place / ("deep" * 30), ephemeral=True)
    (place / "elsewhere").mkdir()
    socket_directory = Path(server.dsn().split("host=")[1].split("&")[0])
    socket_directory.symlink_to(place / "elsewhere")
    with pytest.raises(EmbeddedPostgresError, match="engarde-pg-"):
        await server.start()


@as_root
async def test_a_socket_directory_of_somebody_else_is_refused(place, monkeypatch):
    """Its owner could read and answer every query."""
    monkeypatch.setattr("tempfile.tempdir", str(place))
    server = EmbeddedPostgres(place / ("deep" * 30), ephemeral=True, run_as="nobody")
    socket_directory = Path(server.dsn().split("host=")[1].split("&")[0])
    socket_directory.mkdir()
    os.chown(socket_directory, UNKNOWN_UID, UNKNOWN_UID)
    with pytest.raises(EmbeddedPostgresError, match=f"belongs to uid {UNKNOWN_UID}"):
        await server.start()


async def test_a_failed_start_quotes_the_server_and_can_be_repeated(root):
    """The cause is in the error, and nothing stays locked once it has been removed."""
    overrides = root / "data" / "postgresql.auto.conf"
    overrides.write_text("shared_buffers = 'plenty'\n")
    failed = EmbeddedPostgres(root, ephemeral=True)
    with pytest.raises(EmbeddedPostgresError, match='"shared_buffers": "plenty"'):
        await failed.start()
    overrides.write_text("")
    async with EmbeddedPostgres(root, ephemeral=True) as server:
        assert await ask(server, "select 1") == 1


async def test_a_server_that_neither_answers_nor_ends_is_waited_for_in_vain(place, monkeypatch):
    """Somebody holds the server's lock, perhaps in another container: never start beside it."""
    monkeypatch.setattr(server_module, "_PREDECESSOR_LIMIT_S", 0.05)
    (place / "pg").mkdir()
    lock = evidence.try_lock(place / "pg" / "server.lock")
    assert lock is not None
    with pytest.raises(EmbeddedPostgresError, match=r"hold .*server\.lock open"):
        await EmbeddedPostgres(place / "pg").start()
    os.close(lock)
