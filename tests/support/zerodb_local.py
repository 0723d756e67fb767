"""The real zerodb-local 0.2.0 server, which a test run installs once and starts for itself.

Owns its place outside the project's own packages: the server needs a web framework of 2023, so it
lives in an environment of its own below `.cache/`, made of pinned packages, and is found there by
the next run. It speaks to nobody: every address of an outside service is a closed port.

A test module or conftest takes the fixture with `from tests.support.zerodb_local import zerodb_local`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import asyncpg
import httpx
import msgspec
import pytest
from anyio import to_thread
from anyio.abc import Process

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.embedded.account import Account
from engarde_daemon.adapters.postgres.embedded.launch import Launcher
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.postgres import enterable_directory

_REQUIREMENTS = Path(__file__).parent / "requirements"
_PACKAGES = _REQUIREMENTS / "zerodb-local.txt"
_SOURCE = _REQUIREMENTS / "zerodb-local-source.txt"
_CACHE = Path(__file__).parents[2] / ".cache" / "zerodb-local"
_INSTALL_LIMIT_S = 300.0
_LOOK_S = 0.1
_CLOSED = "127.0.0.1:9"


class LocalServer(msgspec.Struct, frozen=True):
    """A running server; whoever wants an empty one takes a project of one's own."""

    base_url: str

    def client(self) -> httpx.Client:
        """A plain caller, for looking behind the adapter's back."""
        return httpx.Client(base_url=self.base_url, timeout=30, trust_env=False)

    def new_project(self) -> str:
        """Make an empty project."""
        with self.client() as http:
            made = http.post("/projects", json={"name": f"test-{uuid.uuid4()}"})
        return str(made.raise_for_status().json()["id"])


@pytest.fixture(scope="session")
async def zerodb_local(anyio_backend: str) -> AsyncIterator[LocalServer]:
    """One server for the whole run; who takes it lets pytest-timeout count the test alone."""
    async with running_server() as server:
        yield server


@asynccontextmanager
async def running_server() -> AsyncIterator[LocalServer]:
    """Install the server where that was not done yet, and run it on a PostgreSQL of its own."""
    home = await to_thread.run_sync(installed, limiter=anyio.CapacityLimiter(1))
    programs = next(home.glob("environment/lib/*/site-packages/pgserver/pginstall/bin"))
    with enterable_directory() as directory:
        root = directory / "postgres"
        async with EmbeddedPostgres(root, ephemeral=True, bin_dir=programs) as postgres:
            await _create_schema(postgres, _schema_in(home))
            async with _serving(home, directory, postgres.dsn()) as base_url:
                yield LocalServer(base_url)


def installed() -> Path:
    """The folder with the server's source and environment, made at the first call."""
    wanted = b"".join(file.read_bytes() for file in (_PACKAGES, _SOURCE)) + sys.version.encode()
    home = _CACHE / hashlib.sha256(wanted).hexdigest()[:16]
    with _locked(_CACHE):
        if not home.exists():
            unfinished = home.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            _install(unfinished)
            unfinished.rename(home)
    return home


def _install(home: Path) -> None:
    python = str(home / "environment" / "bin" / "python")
    _run([sys.executable, "-m", "venv", str(home / "environment")])
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "install", "--require-hashes", "--no-deps", "--requirement", str(_PACKAGES)])
    # Only the source distribution of 0.2.0 holds the whole server.
    wanted = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
    _run([*pip, "download", *wanted, "--dest", str(home), "--requirement", str(_SOURCE)])
    with tarfile.open(next(home.glob("*.tar.gz"))) as archive:
        archive.extractall(home, filter="data")
    next(home.glob("zerodb_local-*/")).rename(home / "source")


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=_INSTALL_LIMIT_S
    )
    if done.returncode:
        raise RuntimeError(
            f"zerodb-local cannot be installed, so its tests cannot run: {done.stderr[-2000:]}"
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one test run install while others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _schema_in(home: Path) -> str:
    lines = (home / "source" / "api" / "db" / "schema.sql").read_text().splitlines()
    return "\n".join(line for line in lines if "uuid-ossp" not in line)  # nothing uses it


async def _create_schema(postgres: EmbeddedPostgres, schema: str) -> None:
    link = await asyncpg.connect(postgres.dsn(), timeout=PATIENCE_S)
    await link.execute(schema)
    # Without statistics every query reads the whole table; a server that lives longer has them.
    await link.execute("alter system set autovacuum_naptime = '1s'")
    await link.execute("select pg_reload_conf()")
    await link.close(timeout=PATIENCE_S)


@asynccontextmanager
async def _serving(home: Path, directory: Path, dsn: str) -> AsyncIterator[str]:
    port = free_port()
    launcher = Launcher(account=Account(None, os.geteuid(), os.getegid()), dies_with_parent=True)
    python, api = home / "environment" / "bin" / "python", home / "source" / "api"
    words: list[str | Path] = [python, "-m", "uvicorn", "main:app", "--no-access-log"]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    process = await anyio.open_process(
        launcher.command(words, directory=api),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(home, directory, dsn),
    )
    try:
        await _until_answering(process, port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(5):
            process.kill()  # there is nothing to save
            await process.wait()


def _environment(home: Path, directory: Path, dsn: str) -> dict[str, str]:
    dead = dict.fromkeys(("CLOUD_API_URL", "QDRANT_URL", "EMBEDDINGS_URL"), f"http://{_CLOSED}")
    return {
        **dead,
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "PYTHONPATH": f"{home / 'source'}:{home / 'source' / 'api'}",
        "ZERODB_BACKEND": "full",
        "ZERODB_AUTH_MODE": "local",
        "TESTING": "true",  # no vector index, object store or broker is needed for rows
        "DATABASE_URL": dsn,
        "MINIO_URL": _CLOSED,
        "REDPANDA_URL": _CLOSED,
    }


async def _until_answering(process: Process, port: int) -> None:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        with anyio.fail_after(PATIENCE_S):
            while True:
                if process.returncode is not None:
                    raise RuntimeError(f"zerodb-local ended with code {process.returncode}")
                try:
                    (await http.get(f"http://127.0.0.1:{port}/")).raise_for_status()
                    return
                except httpx.ConnectError:
                    await anyio.sleep(_LOOK_S)
