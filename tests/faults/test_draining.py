"""Between the signal and the end: whoever spreads requests gets the time to notice."""

import signal
from pathlib import Path

import httpx

from tests.support.oracle import eventually
from tests.support.running import Daemon, cleared_away_after


async def test_while_it_drains_it_serves_and_asks_to_be_left(data_dir: Path):
    """Not ready any more, but nobody is turned away; each answer ends its connection."""
    environ = {"ENGARDE_SERVER__DRAIN_S": "60"}
    async with cleared_away_after(Daemon(data_dir, environ=environ)) as daemon:
        await daemon.start()
        async with daemon.client() as http:
            assert "connection" not in (await http.get("/readyz")).headers
            daemon.signal(signal.SIGTERM)
            await eventually(lambda: is_leaving(http))

            made = await http.post("/api/content", json={"title": "Late", "body": "but in time"})
            alive = await http.get("/healthz")

        assert (made.status_code, made.headers["connection"]) == (201, "close")
        assert alive.status_code == 200
        daemon.signal(signal.SIGTERM)
        assert await daemon.ended() == 128 + signal.SIGTERM


async def test_after_it_has_drained_it_ends_politely(data_dir: Path):
    """As without a drain."""
    environ = {"ENGARDE_SERVER__DRAIN_S": "0.2"}
    async with cleared_away_after(Daemon(data_dir, environ=environ)) as daemon:
        await daemon.start()

        assert await daemon.stop() == 0


async def is_leaving(http: httpx.AsyncClient) -> bool:
    """Whether the daemon says that it stops."""
    answer = await http.get("/readyz")
    return answer.status_code == 503 and answer.json()["reason"] == "the daemon is stopping"
