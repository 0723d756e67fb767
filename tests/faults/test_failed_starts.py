"""A start that cannot succeed says why in one sentence and leaves no traceback."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.migrations import migrate
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.postgres import fresh_database, postgres_server
from tests.support.running import Daemon, DidNotStart, cleared_away_after

__all__ = ["postgres_server"]

CANNOT_START = 3
_PASSWORD = "correct-horse"


async def refusal(data_dir: Path, environ: Mapping[str, str] | None = None) -> str:
    """The one sentence with which a daemon refuses to start."""
    async with cleared_away_after(Daemon(data_dir, environ=environ or {})) as daemon:
        with pytest.raises(DidNotStart) as refused:
            await daemon.start()
        return sentence_of(daemon, refused.value)


def sentence_of(daemon: Daemon, refused: DidNotStart) -> str:
    """What a person reads; every other line is of the log, which is JSON here."""
    assert refused.exit_code == CANNOT_START
    said = daemon.log.read_text()
    assert "Traceback" not in said
    lines = [line for line in said.splitlines() if line and not line.startswith("{")]
    assert len(lines) == 1, lines
    return lines[0]


@asynccontextmanager
async def listener(host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server((host, 0)) as taken:
        yield int(taken.getsockname()[1])


async def test_a_taken_port_is_named_before_anything_is_started(place: Path):
    """Nothing is prepared for a daemon that nobody could reach."""
    async with listener() as port, cleared_away_after(Daemon(place / "data")) as daemon:
        daemon.port = port
        with pytest.raises(DidNotStart) as refused:
            await daemon.start()

        sentence = sentence_of(daemon, refused.value)

    assert f"127.0.0.1 port {port} cannot be listened on" in sentence
    assert "--port" in sentence
    assert not (place / "data").exists()


async def test_a_second_daemon_on_the_same_data_directory_is_refused(daemon: Daemon):
    """Two daemons would fight over one PostgreSQL; the first one is not disturbed."""
    second = Daemon(daemon.data_dir, log="second.log")
    with pytest.raises(DidNotStart) as refused:
        await second.start()

    assert "Another process manages" in sentence_of(second, refused.value)
    assert daemon.credentials.base_url == daemon.base_url
    async with daemon.client() as http:
        assert (await http.get("/readyz")).status_code == 200


async def test_data_of_a_newer_postgres_is_left_alone(data_dir: Path):
    """Nobody but that newer version could read it."""
    (data_dir / "postgres" / "data" / "PG_VERSION").write_text("99\n")

    assert "99" in await refusal(data_dir)


async def test_a_data_directory_that_cannot_be_made_is_named(place: Path):
    """Even root cannot make a directory where a file is."""
    (place / "file").write_text("")

    assert f"{place}/file" in await refusal(place / "file")


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("ENGARDE_SERVER__PORT", "many", "server.port"),
        ("ENGARDE_POSTGRES__DSN", "mysql://nobody@nowhere/", "postgres.dsn"),
        ("ENGARDE_SERVER__PROT", "8700", "server.prot"),
    ],
)
async def test_a_setting_that_cannot_be_read_is_named(
    place: Path, name: str, value: str, named: str
):
    """The sentence names the key, and the variable's value is not repeated."""
    async with cleared_away_after(Daemon(place / "data", environ={name: value})) as daemon:
        with pytest.raises(DidNotStart) as refused:
            await daemon.start()

    assert refused.value.exit_code == CANNOT_START
    said = daemon.log.read_text()
    assert named in said or name in said
    assert "Traceback" not in said
    assert value not in said or value == "8700"


class TestOutsideServers:
    """A PostgreSQL that is not ours may be absent or closed to us."""

    async def test_an_unreachable_server_is_named_without_its_password(self, place: Path):
        """The operator learns which setting to look at."""
        port = free_port()
        dsn = f"postgresql://someone:{_PASSWORD}@127.0.0.1:{port}/content"

        sentence = await refusal(place / "data", {"ENGARDE_POSTGRES__DSN": dsn})

        assert f"127.0.0.1:{port}/content" in sentence
        assert "[postgres] dsn" in sentence
        assert _PASSWORD not in sentence

    async def test_a_database_that_does_not_exist_is_named(
        self, place: Path, postgres_server: EmbeddedPostgres
    ):
        """A server that answers is not yet a database."""
        dsn = postgres_server.dsn(database="nowhere")

        assert "nowhere" in await refusal(place / "data", {"ENGARDE_POSTGRES__DSN": dsn})

    async def test_an_unknown_user_is_refused_in_a_sentence(
        self, place: Path, postgres_server: EmbeddedPostgres
    ):
        """What the server says about the login is passed on."""
        async with fresh_database(postgres_server) as name:
            dsn = postgres_server.dsn(database=name, user="nobody_at_all")

            sentence = await refusal(place / "data", {"ENGARDE_POSTGRES__DSN": dsn})

        assert "nobody_at_all" in sentence

    async def test_a_user_who_may_not_change_the_schema_is_told_so(
        self, place: Path, postgres_server: EmbeddedPostgres
    ):
        """Who runs the daemon with fewer rights migrates with another user first."""
        async with fresh_database(postgres_server) as name, lowly_user(postgres_server) as user:
            dsn = postgres_server.dsn(database=name, user=user)

            sentence = await refusal(place / "data", {"ENGARDE_POSTGRES__DSN": dsn})

        assert "may not migrate" in sentence

    async def test_a_hole_between_tenants_stops_the_start(
        self, place: Path, postgres_server: EmbeddedPostgres
    ):
        """The daemon does not serve a database that would show one tenant another's rows."""
        async with fresh_database(postgres_server) as name:
            dsn = postgres_server.dsn(database=name)
            await migrate(dsn)
            await drop_a_policy(dsn)

            sentence = await refusal(place / "data", {"ENGARDE_POSTGRES__DSN": dsn})

        assert "engarde.content_versions has lost its policy tenant_guard" in sentence


@asynccontextmanager
async def lowly_user(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A user of the server who may log in and nothing else."""
    connection = await asyncpg.connect(server.dsn(), timeout=PATIENCE_S)
    await connection.execute("create role lowly login")
    try:
        yield "lowly"
    finally:
        await connection.execute("drop role lowly")
        await connection.close(timeout=PATIENCE_S)


async def drop_a_policy(dsn: str) -> None:
    """Make a hole."""
    connection = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    await connection.execute("drop policy tenant_guard on engarde.content_versions")
    await connection.close(timeout=PATIENCE_S)
