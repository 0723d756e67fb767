"""A daemon as an operator runs it: a real process on a data directory, signalled and killed.

Owns the clean-up: whatever a test did to the daemon, neither it nor the PostgreSQL it left behind
outlives the test.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import anyio
import httpx
import msgspec
import psutil
from anyio.abc import Process

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.embedded.evidence import read_pid_file
from engarde_daemon.adapters.postgres.embedded.process import WatchedProcess
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

ENGARDE = str(Path(sys.executable).with_name("engarde"))
START_LIMIT_S = 150.0
STOP_LIMIT_S = 90.0
REQUEST_LIMIT_S = 60.0
_LOG_TAIL_BYTES = 3000


D = TypeVar("D", bound="Daemon")


class DidNotStart(Exception):
    """The daemon ended instead of serving; the text is its exit code and its last words."""

    def __init__(self, exit_code: int, words: str) -> None:
        super().__init__(f"exit code {exit_code}: {words}")
        self.exit_code = exit_code
        self.words = words


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What the first start writes down for its user."""

    base_url: str
    tenant_id: str
    brand_id: str
    user_id: str
    api_key: str
    operator_key: str


class Daemon:
    """One daemon on one data directory, through all its lives."""

    program: Sequence[str] = (ENGARDE, "run")
    """What is started, before its options."""

    def __init__(
        self,
        data_dir: Path,
        *,
        environ: Mapping[str, str] = MappingProxyType({}),
        log: str = "daemon.log",
    ) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.log = data_dir.parent / log
        self.serving = anyio.Event()
        self.environ = environment(environ)
        self._process: Process | None = None

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process of the present life."""
        return self._running().pid

    @property
    def credentials(self) -> Credentials:
        """What the first start wrote down."""
        text = (self.data_dir / "credentials.json").read_bytes()
        return msgspec.json.decode(text, type=Credentials)

    @property
    def dsn(self) -> str:
        """The superuser's address of its PostgreSQL while that runs."""
        given = self.environ.get("ENGARDE_POSTGRES__DSN")
        return given or EmbeddedPostgres(self.data_dir / "postgres").dsn()

    @property
    def postmaster(self) -> int:
        """The process of the embedded PostgreSQL."""
        said = read_pid_file(self.data_dir / "postgres" / "data")
        assert said is not None, "PostgreSQL does not run"
        return said.pid

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> float:
        """Start it and wait until it serves; answers with the seconds that took.

        Raises:
            DidNotStart: It ended instead.
        """
        began = time.monotonic()
        await self.launch()
        with anyio.fail_after(START_LIMIT_S):
            await self._until_ready()
        self.serving.set()
        return time.monotonic() - began

    async def launch(self) -> None:
        """Start the process and wait for nothing."""
        with self.log.open("ab") as log:
            self._process = await anyio.open_process(
                [*self.program, "--data-dir", str(self.data_dir), "--port", str(self.port)],
                stdin=subprocess.DEVNULL,
                stderr=log,
                env=self.environ,
                cwd=self.data_dir.parent,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._running().send_signal(number)

    async def ended(self, limit_s: float = STOP_LIMIT_S) -> int:
        """Wait for its end and give the exit code."""
        with anyio.fail_after(limit_s):
            return await self._running().wait()

    async def stop(self) -> int:
        """End it as a service manager does and give the exit code."""
        self.serving = anyio.Event()
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def kill(self) -> None:
        """End it as a power cut does, except that the disk keeps what it was given."""
        self.serving = anyio.Event()
        self.signal(signal.SIGKILL)
        await self.ended()

    def client(self, api_key: str | None = None, *, connections: int = 32) -> httpx.AsyncClient:
        """A caller with a key, of the first tenant if none is given."""
        return httpx.AsyncClient(
            base_url=self.base_url,
            headers={"X-API-Key": api_key or self.credentials.api_key},
            timeout=REQUEST_LIMIT_S,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=False,
        )

    async def command(self, *arguments: str) -> Any:
        """What an `engarde` command prints as JSON, on this data directory, with its settings."""
        done = await anyio.run_process(
            [ENGARDE, *arguments, "--data-dir", str(self.data_dir), "--json"],
            env=self.environ,
            cwd=self.data_dir.parent,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return json.loads(done.stdout)

    def words(self) -> str:
        """The end of what it wrote to standard error."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _LOG_TAIL_BYTES))
            return log.read().decode(errors="replace")

    def events(self) -> list[dict[str, Any]]:
        """Everything it logged, in all its lives."""
        *lines, _unfinished = self.log.read_text(errors="replace").split("\n")
        return [json.loads(line) for line in lines if line.startswith("{")]

    def connections(self) -> list[Any]:
        """The connections that it has accepted from callers."""
        found = psutil.Process(self.pid).net_connections(kind="tcp")
        return [one for one in found if one.status == "ESTABLISHED" and one.laddr.port == self.port]

    async def cleared_away(self) -> None:
        """End the daemon, and the PostgreSQL that a killed one leaves behind."""
        if self.alive:
            await self.kill()
        await end_postgres(self.data_dir / "postgres")

    async def _until_ready(self) -> None:
        process, said = self._running(), b""
        assert process.stdout is not None
        while b"ready at" not in said:
            try:
                said += await process.stdout.receive()
            except anyio.EndOfStream:
                raise DidNotStart(await process.wait(), self.words()) from None

    def _running(self) -> Process:
        assert self._process is not None, "the daemon was never started"
        return self._process


@asynccontextmanager
async def cleared_away_after(daemon: D) -> AsyncIterator[D]:
    """Lend a daemon that is not started yet, and leave nothing of it behind."""
    try:
        yield daemon
    finally:
        with anyio.CancelScope(shield=True):
            await daemon.cleared_away()


async def end_postgres(root: Path) -> None:
    """End every process of the embedded PostgreSQL in this directory, at whatever stage it is."""
    for process in psutil.process_iter(["cmdline"]):
        if _belongs(process, root):
            # A postmaster takes its children with it.
            await WatchedProcess(process.pid).stop((signal.SIGQUIT, PATIENCE_S))


def _belongs(process: psutil.Process, root: Path) -> bool:
    words = process.info["cmdline"] or []
    return any(word.startswith(f"{root}/data") for word in words)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process under test, without settings that the developer may have."""
    ours = {name: text for name, text in os.environ.items() if not name.startswith("ENGARDE_")}
    # A daemon that may not keep what it compiled takes a third of a second longer to start.
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**ours, **extra}
