"""The daemon of the demonstration, and the ZeroDB that it is about to lose.

Owns both lives: whatever ends the play, the daemon is stopped as a service manager does. It is the
ordinary program in a process of its own, with nothing but settings.
"""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import msgspec
from anyio.abc import Process

from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.cli.recovery.work import find_operators_door
from engarde_daemon.cli.transfer.door import Door, find_door
from engarde_daemon.config.settings import Settings
from engarde_daemon.config.stores import Storage
from engarde_daemon.testing.zerodb_cloud import Fault, ZeroDBCloud

START_LIMIT_S = 120.0
STOP_LIMIT_S = 40.0
_LOOK_S = 0.1
_FOR_EVER = 10**9
_LAST_WORDS = 2000
_PROGRAM = "from engarde_daemon.cli import main; main()"


class Stage(msgspec.Struct, frozen=True):
    """Everything that stands ready when the play begins."""

    data_dir: Path
    log: Path
    daemon: Process
    zerodb: ZeroDBCloud

    @property
    def door(self) -> Door:
        """The tenant's administrator."""
        return find_door(self._settings, None, None)

    @property
    def operators_door(self) -> Door:
        """The operator."""
        return find_operators_door(self._settings, None, None)

    async def end_zerodb(self) -> None:
        """Refuse new connections, and say nothing on those that are open."""
        self.zerodb.faults.add(Fault.BLACK_HOLE, count=_FOR_EVER)
        await self.zerodb.close()

    async def bring_zerodb_back(self) -> None:
        """Answer again, with everything that was stored."""
        self.zerodb.faults.clear()
        await self.zerodb.open()

    @property
    def _settings(self) -> Settings:
        return Settings(storage=Storage(data_dir=str(self.data_dir)))


@asynccontextmanager
async def set_up(place: Path, port: int, *, fast: bool) -> AsyncIterator[Stage]:
    """Start everything, and stop it at the end.

    Raises:
        CannotStartError: The place is in use, or the daemon does not start.
    """
    _make_empty(place)
    async with ZeroDBCloud() as zerodb:
        environ = {**_without_settings(os.environ), **_settings_for(zerodb, fast=fast)}
        with (place / "daemon.log").open("wb") as log:
            daemon = await anyio.open_process(
                [sys.executable, "-c", _PROGRAM, "run", "--data-dir", "data", "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environ,
                cwd=place,
                start_new_session=True,  # Ctrl-C is for the play, which stops the daemon itself
            )
        stage = Stage(place / "data", place / "daemon.log", daemon, zerodb)
        try:
            await _until_ready(stage, port)
            yield stage
        finally:
            await _stop(daemon)


def _make_empty(place: Path) -> None:
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise CannotStartError(
            f"{place} is not empty: remove it, or name another directory with --data-dir."
        )
    place.mkdir(parents=True, exist_ok=True)


def _without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings: they may name somebody's real stores."""
    return {name: text for name, text in environ.items() if not name.startswith("ENGARDE_")}


def _settings_for(zerodb: ZeroDBCloud, *, fast: bool) -> dict[str, str]:
    haste = {
        "ENGARDE_HEALTH__PROBE_EVERY_S": "0.2",
        "ENGARDE_HEALTH__PROBE_TIMEOUT_S": "0.5",
        "ENGARDE_HEALTH__OPEN_S": "0.5",
        "ENGARDE_HEALTH__OPEN_MAX_S": "1",
        "ENGARDE_HEALTH__FAILOVER_AFTER_S": "0.5",
    }
    return {
        "ENGARDE_ZERODB__MODE": "cloud",
        "ENGARDE_ZERODB__BASE_URL": zerodb.base_url,
        "ENGARDE_ZERODB__PROJECT_ID": zerodb.project_id,
        "ENGARDE_ZERODB__API_KEY": zerodb.api_key,
        "ENGARDE_ZERODB__TIMEOUT_S": "2",
        # Else every body would be read from memory, and one could not see from which store.
        "ENGARDE_CACHE__BODY_BYTES": "1024",
        **(haste if fast else {"ENGARDE_HEALTH__OPEN_MAX_S": "5"}),
    }


async def _until_ready(stage: Stage, port: int) -> None:
    # Without its notes it is another daemon that answers, on a port that ours will not get.
    notes = stage.data_dir / "credentials.json"
    with anyio.move_on_after(START_LIMIT_S):
        async with httpx.AsyncClient(trust_env=False) as http:
            while stage.daemon.returncode is None:
                try:
                    answer = await http.get(f"http://127.0.0.1:{port}/readyz")
                except httpx.TransportError:
                    await anyio.sleep(_LOOK_S)
                    continue
                if answer.is_success and notes.exists() and stage.daemon.returncode is None:
                    return
                await anyio.sleep(_LOOK_S)
    words = stage.log.read_text(errors="replace")[-_LAST_WORDS:]
    raise CannotStartError(f"The daemon did not start; it said last:\n{words}")


async def _stop(daemon: Process) -> None:
    with anyio.CancelScope(shield=True):
        if daemon.returncode is None:
            daemon.send_signal(signal.SIGTERM)
            with anyio.move_on_after(STOP_LIMIT_S):
                await daemon.wait()
        await daemon.aclose()
