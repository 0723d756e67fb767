"""A real server that speaks the protocol of S3, in an environment of its own.

Owns its installation: the packages are pinned in `moto-requirements.txt` and land in `.cache/`, so
that the project's own environment stays free of them and the next run finds them there.
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port

REQUIREMENTS = Path(__file__).with_name("moto-requirements.txt")
CACHE = Path(__file__).parents[2] / ".cache"
INSTALL_LIMIT_S = 300
BUCKET = "engarde-media"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}
_LOOK_S = 0.1


@contextmanager
def s3_serving() -> Iterator[str]:
    """The address of a server with an empty bucket."""
    port = free_port()
    program = "from moto.server import main; main()"
    command = [str(_installed()), "-c", program, "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            _until_bucket(url)
            yield url
        finally:
            os.kill(server.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """One such server for the run."""
    with s3_serving() as url:
        yield url


def _installed() -> Path:
    """The interpreter that has the packages; installs them where they are not there yet."""
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = CACHE / f"moto-{pins}"
    python, ready = home / "bin" / "python", home / ".ready"
    if not ready.exists():
        for command in (
            [sys.executable, "-m", "venv", str(home)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--require-hashes", "-r", str(REQUIREMENTS)],
        ):  # fmt: skip
            subprocess.run(command, check=True, timeout=INSTALL_LIMIT_S)
        ready.touch()
    return python


def _until_bucket(url: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.put(f"{url}/{BUCKET}", trust_env=False).raise_for_status()
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(_LOOK_S)
        else:
            return
