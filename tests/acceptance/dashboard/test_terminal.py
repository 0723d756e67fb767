"""The dashboard in a real terminal, before a real daemon."""

import signal
from collections.abc import AsyncIterator

import anyio
import httpx
import psutil
import pytest

from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory
from tests.support.running import ENGARDE, Daemon, cleared_away_after, environment
from tests.support.terminals import hang, processes, shown, terminal

ENVIRON = environment({"TERM": "xterm-256color"})


@pytest.fixture
async def daemon() -> AsyncIterator[Daemon]:
    """A daemon that is not started yet, on embedded stores."""
    with enterable_directory(in_memory=True) as directory:
        async with cleared_away_after(Daemon(directory / "data")) as daemon:
            yield daemon


async def answers(daemon: Daemon) -> bool:
    """Whether the daemon takes a write."""
    body = {"title": "T", "body": "B"}
    async with daemon.client() as http:
        return (await http.post("/api/content", json=body)).status_code == httpx.codes.CREATED


async def test_an_operator_watches_and_steers_a_running_daemon(daemon: Daemon):
    """By the dashboard alone; a restart of the daemon is noticed, said and got over."""
    await daemon.start()
    attach = [ENGARDE, "tui", "--data-dir", str(daemon.data_dir)]
    with terminal(attach, ENVIRON) as screen:
        await shown(screen, "● live")
        assert await answers(daemon)
        await shown(screen, "The only version is in ZeroDB")

        screen.type("5")
        await shown(screen, "Nothing was refused or put off.")

        screen.type("6f")
        await shown(screen, "Type failover to go on.")
        screen.type("failover\r")
        await shown(screen, "! failed over")

        assert await daemon.stop() == 0
        await shown(screen, "✗ no answer")
        await daemon.start()
        await shown(screen, "● live")
        await shown(screen, "! failed over")

        screen.type("q")
    assert daemon.alive


async def test_the_daemon_outlives_its_dashboard_and_its_terminal(daemon: Daemon):
    """Whether the dashboard hangs, is killed with its window, or never answers again."""
    run = [ENGARDE, "run", "--tui", "--data-dir", str(daemon.data_dir), "--port", str(daemon.port)]
    with terminal(run, ENVIRON) as screen:
        await shown(screen, "● live")
        (dashboard,) = processes("-m", "tui", daemon.base_url)

        hang(dashboard)
        assert await answers(daemon)
        dashboard.send_signal(signal.SIGCONT)
        screen.type("2")
        await shown(screen, "Actors of")
        (process,) = processes("run", "--tui", str(daemon.data_dir))

    assert await answers(daemon)
    with anyio.fail_after(PATIENCE_S):
        while psutil.pid_exists(dashboard.pid) and dashboard.status() != psutil.STATUS_ZOMBIE:
            await anyio.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert await anyio.to_thread.run_sync(process.wait, 40) in (0, None)
