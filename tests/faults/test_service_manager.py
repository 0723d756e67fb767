"""What systemd is told by a daemon that it started: `Type=notify`, with a watchdog."""

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.running import Daemon, cleared_away_after
from tests.support.service_manager import ServiceManager


@pytest.fixture
def manager(place: Path) -> Iterator[ServiceManager]:
    """Somebody who listens for the daemon."""
    with ServiceManager(place / "notify") as manager:
        yield manager


async def test_a_life_as_the_service_manager_hears_it(data_dir: Path, manager: ServiceManager):
    """Ready when it serves and no sooner, alive while it serves, stopping when it was told to."""
    environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "500000"}
    async with cleared_away_after(Daemon(data_dir, environ=environ)) as daemon:
        await daemon.launch()

        before = await manager.until(
            "READY=1",
        )
        assert all(line.startswith("EXTEND_TIMEOUT_USEC=") for (line,) in before[:-1])
        assert before[-1][1] == f"STATUS=serving on 127.0.0.1 port {daemon.port}"
        async with httpx.AsyncClient(base_url=daemon.base_url, trust_env=False) as http:
            assert (await http.get("/readyz")).status_code == 200

        await manager.until("WATCHDOG=1")
        daemon.signal(signal.SIGTERM)
        await manager.until("STOPPING=1")
        assert await daemon.ended() == 0
        later = [line for message in manager.heard() for line in message]
        assert "WATCHDOG=1" not in later
