"""What a start leaves for its user, also one that was cut off."""

import os
import signal
import stat
from pathlib import Path

import anyio
import anyio.to_thread

from tests.support.oracle import eventually
from tests.support.running import Daemon, cleared_away_after

LOOKS_MAX = 20_000_000


async def test_the_first_start_writes_credentials_for_its_owner_alone(place: Path):
    """The keys work, nobody else on the machine can read them, and the figures are printed."""
    async with cleared_away_after(Daemon(place / "data")) as daemon:
        cold_s = await daemon.start()
        file = place / "data" / "credentials.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for key in (daemon.credentials.api_key, daemon.credentials.operator_key):
            async with daemon.client(key) as http:
                told = await http.get("/api/content/quota")
            assert told.json()["tenant_id"] == daemon.credentials.tenant_id

        assert await daemon.stop() == 0
        warm_s = await daemon.start()
    print(f"\nstart to ready: cold {cold_s:.2f} s, warm {warm_s:.2f} s")  # noqa: T201 - a figure


async def test_the_base_url_follows_the_port(data_dir: Path):
    """Whoever reads the file after a start finds the daemon; the keys stay what they were."""
    async with cleared_away_after(Daemon(data_dir)) as daemon:
        before = daemon.credentials

        await daemon.start()

        assert daemon.credentials.base_url == daemon.base_url != before.base_url
        assert daemon.credentials.api_key == before.api_key
        assert stat.S_IMODE((data_dir / "credentials.json").stat().st_mode) == 0o600


async def test_notes_that_somebody_damaged_keep_nothing_from_starting(data_dir: Path):
    """Nothing but people and commands read them; they are left for somebody to look at."""
    file = data_dir / "credentials.json"
    file.write_text('{"base_url":')
    async with cleared_away_after(Daemon(data_dir)) as daemon:
        await daemon.start()

        assert file.read_text() == '{"base_url":'
        assert [one for one in daemon.events() if "is damaged" in one["event"]] != []


async def test_a_first_start_killed_at_the_last_moment_can_be_repeated(place: Path):
    """Credentials that are written down before their tenant is committed must not be believed."""
    async with cleared_away_after(Daemon(place / "data")) as daemon:
        await daemon.launch()
        await anyio.to_thread.run_sync(
            kill_when_written, daemon.pid, place / "data" / "credentials.json"
        )
        await daemon.ended()

        await daemon.start()
        async with daemon.client() as http:
            assert (await http.get("/api/content")).status_code == 200


async def test_a_first_start_killed_during_initdb_can_be_repeated(place: Path):
    """A half-made data directory is never taken for a whole one."""
    async with cleared_away_after(Daemon(place / "data")) as daemon:
        await daemon.launch()

        async def initialising() -> bool:
            return (place / "data" / "postgres" / "data.new").exists()

        await eventually(initialising)
        await daemon.kill()

        await daemon.start()
        async with daemon.client() as http:
            assert (await http.get("/api/content")).status_code == 200


def kill_when_written(pid: int, path: Path) -> None:
    """Look without pause: the moment to be met is shorter than a millisecond."""
    for _ in range(LOOKS_MAX):
        if path.exists():
            os.kill(pid, signal.SIGKILL)
            return
    raise AssertionError(f"{path} was never written")
