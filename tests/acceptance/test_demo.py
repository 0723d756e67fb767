"""The demonstration plays to its end, and leaves nothing behind whenever it ends."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded.evidence import read_pid_file
from tests.faults.conftest import place
from tests.support.ports import free_port
from tests.support.running import ENGARDE, environment

__all__ = ["place"]


def command(place: Path, port: int, *more: str) -> list[str]:
    """How it is typed."""
    return [ENGARDE, "demo", "--data-dir", str(place / "demo"), "--port", str(port), *more]


async def nobody_listens(port: int) -> bool:
    """Whether the daemon is gone."""
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            await http.get(f"http://127.0.0.1:{port}/healthz")
        except httpx.ConnectError:
            return True
    return False


async def test_the_play_is_played_to_its_end(place: Path):
    """ZeroDB fails, reads come from elsewhere, and at the end nothing differs.

    Real stores that the environment names are left alone.
    """
    port = free_port()
    elsewhere = {"ENGARDE_POSTGRES__DSN": "postgresql://production.invalid/engarde"}
    done = await anyio.run_process(
        command(place, port, "--fast", "--exit"), env=environment(elsewhere), check=False
    )

    told = done.stdout.decode()
    assert done.returncode == 0, told + done.stderr.decode()
    shown = [line.strip() for line in told.splitlines() if "X-Served-From" in line]
    before, meanwhile, after = shown
    assert "zerodb" in before
    assert "archive" in meanwhile
    assert "staged × 4" in meanwhile
    assert "zerodb" not in meanwhile
    assert "staged" not in after
    assert "ZeroDB is failed_over" in told
    assert "completed, {'stored': 9}" in told
    assert "no difference" in told
    assert await nobody_listens(port)
    assert read_pid_file(place / "demo" / "data" / "postgres" / "data") is None


async def test_a_place_in_use_is_left_alone(place: Path):
    """It may be somebody's."""
    (place / "demo").mkdir()
    (place / "demo" / "mine").touch()

    done = await anyio.run_process(command(place, free_port()), env=environment({}), check=False)

    assert done.returncode == 3
    assert b"is not empty" in done.stderr


async def test_a_port_in_use_is_named(place: Path, tcp_port_in_use: int):
    """By the daemon's own words."""
    done = await anyio.run_process(
        command(place, tcp_port_in_use, "--fast", "--exit"), env=environment({}), check=False
    )

    assert done.returncode == 3
    assert b"cannot be listened on" in done.stderr


@pytest.fixture
def tcp_port_in_use() -> Iterator[int]:
    """A port on which somebody listens who is no daemon."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


async def test_a_play_that_is_interrupted_stops_its_daemon(place: Path):
    """And says by its exit code that it was not played."""
    port = free_port()
    play = await anyio.open_process(
        command(place, port, "--fast"), stderr=subprocess.DEVNULL, env=environment({})
    )
    assert play.stdout is not None
    said = b""
    while b"Northlight" not in said:
        said += await play.stdout.receive()
    play.send_signal(signal.SIGINT)

    assert await play.wait() == 1
    await play.aclose()
    assert await nobody_listens(port)
