"""A BigQuery for tests: `local-bigquery`, installed beside the project and run as a process.

Owns its environment. The emulator needs Python 3.12 and a DuckDB that the project does not use, so
it lives in a folder of its own that git ignores, made once and made anew when its pins change.
Where no such Python is found, its tests are skipped, or fail if ENGARDE_BIGQUERY_EMULATOR says
`required`, as the whole check before a change lands does. `python -m tests.support.bigquery_emulator`
makes the environment beforehand.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from engarde_daemon.adapters.bigquery.place import Place
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

PROJECT = "test-project"
PINS = Path(__file__).with_suffix(".txt")
FOLDER = Path(__file__).parents[2] / ".emulators"
REQUIRED = os.environ.get("ENGARDE_BIGQUERY_EMULATOR") == "required"
PYTHONS = ("python3.13", "python3.12")
_LOOK_S = 0.05
_WORDS = (
    "the BigQuery emulator needs Python 3.13 or 3.12, and neither is on the PATH or in pyenv: "
    "install one to run these tests"
)


class BigQueryEmulator:
    """One emulator on one folder of data, through all its lives: its ports stay the same."""

    def __init__(self, environment: Path, data: Path) -> None:
        self.port = free_port()
        self.write_port = free_port()
        self._environment = environment
        self._data = data
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Its REST API."""
        return f"http://127.0.0.1:{self.port}"

    def place(self, dataset: str = "", **changes: str) -> Place:
        """A dataset of one's own on it, yet to be made."""
        settings = {"endpoint": self.endpoint, "write_endpoint": f"127.0.0.1:{self.write_port}"}
        return Place(
            project=PROJECT,
            dataset=dataset or f"test_{uuid.uuid4().hex}",
            anonymous=True,
            **{**settings, **changes},
        )

    async def start(self) -> None:
        """Start it and wait until it answers."""
        arguments = [
            *("--host", "127.0.0.1", "--port", str(self.port), "--grpc-port", str(self.write_port)),
            *("--project", PROJECT, "--data-dir", str(self._data), "serve"),
        ]
        with (self._data.parent / "emulator.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it only starts
                [self._environment / "venv/bin/local-bigquery", *arguments],
                env={**os.environ, "HOME": str(self._environment / "home")},
                stdout=log,
                stderr=log,
            )
        with anyio.fail_after(PATIENCE_S):
            await self._answers()

    async def stop(self) -> None:
        """End it; what streams it had it forgets, what rows it had it keeps."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            await anyio.to_thread.run_sync(process.wait, PATIENCE_S)
        finally:
            process.kill()

    async def restart(self) -> None:
        """Let it forget its streams."""
        await self.stop()
        await self.start()

    async def query(self, place: Place, statement: str) -> list[str]:
        """Run a statement by the back door, in this dataset, and give the first column's values."""
        body = {
            "query": statement,
            "useLegacySql": False,
            "defaultDataset": {"projectId": place.project, "datasetId": place.dataset},
        }
        async with httpx.AsyncClient(base_url=self.endpoint, timeout=PATIENCE_S) as client:
            answer = await client.post(f"/bigquery/v2/projects/{PROJECT}/queries", json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        return [row["f"][0]["v"] for row in answer.json().get("rows") or []]

    async def table(self, place: Place, name: str) -> dict[str, Any]:
        """What the REST API tells of a table."""
        path = f"/bigquery/v2/projects/{PROJECT}/datasets/{place.dataset}/tables/{name}"
        async with httpx.AsyncClient(base_url=self.endpoint) as client:
            answer = await client.get(path)
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def _answers(self) -> None:
        async with httpx.AsyncClient(base_url=self.endpoint) as client:
            while True:
                assert self._process is not None
                assert self._process.poll() is None, self._log_tail()
                try:
                    answer = await client.get(f"/bigquery/v2/projects/{PROJECT}/datasets")
                    async with await anyio.connect_tcp("127.0.0.1", self.write_port):
                        pass  # the other API begins to listen later
                except (httpx.TransportError, OSError):
                    await anyio.sleep(_LOOK_S)
                    continue
                assert answer.status_code == httpx.codes.OK
                return

    def _log_tail(self) -> str:
        return (self._data.parent / "emulator.log").read_text(errors="replace")[-2000:]


@pytest.fixture(scope="session")
async def bigquery_emulator(anyio_backend: str) -> AsyncIterator[BigQueryEmulator]:
    """One emulator for the whole run."""
    async with running_emulator() as emulator:
        yield emulator


@asynccontextmanager
async def running_emulator() -> AsyncIterator[BigQueryEmulator]:
    """An emulator on empty data; it ends with the context."""
    environment = await anyio.to_thread.run_sync(prepared_environment)
    with tempfile.TemporaryDirectory(prefix="engarde-bigquery-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        emulator = BigQueryEmulator(environment, data)
        try:
            await emulator.start()
            yield emulator
        finally:
            with anyio.CancelScope(shield=True):
                await emulator.stop()


def prepared_environment() -> Path:
    """The folder in which the emulator is installed, installed now if it was not."""
    pins = PINS.read_bytes()
    folder = FOLDER / f"bigquery-{hashlib.sha256(pins).hexdigest()[:12]}"
    if not (folder / "ready").exists():
        with _only_one_installs():
            if not (folder / "ready").exists():
                _install(_python(), folder)
    return folder


def _python() -> str:
    """An interpreter the emulator runs on: the one that runs this, one on the PATH, or pyenv's."""
    if sys.version_info >= (3, 12):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for name in PYTHONS:
        version = name.removeprefix("python")
        found = [str(place / "bin" / name) for place in sorted(pyenv.glob(f"{version}.*"))]
        for candidate in (shutil.which(name), *found):
            if candidate and _runs(candidate):
                return candidate
    if REQUIRED:
        pytest.fail(_WORDS)
    pytest.skip(_WORDS)


def _runs(python: str) -> bool:
    """Whether it starts: pyenv puts commands on the PATH that only tell which versions it has."""
    return subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0


@contextmanager
def _only_one_installs() -> Iterator[None]:
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(python: str, folder: Path) -> None:
    """Install what is pinned, and lay DuckDB's extensions where it looks for them."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    inside = str(folder / "venv/bin/python")
    pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # local-bigquery 0.4.0 asks for 3.13, and runs on 3.12.
    wanted = ["--require-hashes", "--ignore-requires-python", "-r", str(PINS)]
    subprocess.run([*pip, *wanted], check=True)
    asked = [inside, "-c", _ASK_DUCKDB]
    place = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    extensions = folder / "home/.duckdb/extensions" / place
    extensions.mkdir(parents=True)
    for file in (folder / "venv").glob(
        "lib/*/site-packages/duckdb_extension_*/**/*.duckdb_extension"
    ):
        shutil.copy(file, extensions)
    (folder / "ready").touch()


_ASK_DUCKDB = """
import duckdb
(platform,) = duckdb.sql("PRAGMA platform").fetchone()
print(f"v{duckdb.__version__}/{platform}")
"""

if __name__ == "__main__":
    sys.stdout.write(f"{prepared_environment()}\n")
