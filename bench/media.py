"""`python -m bench.media [GB]`: what a large file costs in memory, on its way in and out.

A daemon of its own takes a file in that is made as it goes, gives it back, and is looked at all the
while. The figure is how much its resident memory grows above what it was after a small file.
"""

import hashlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import httpx

from bench.errors import BenchError
from bench.ports import free_port
from bench.server import Server
from bench.workplace import workplace

GB = 1024**3
GROWTH_MAX_MB = 64.0
BLOCK_BYTES = 1024 * 1024
REQUEST_LIMIT_S = 3600.0
_LOOK_S = 0.05
_MB = 1024 * 1024
_BOUNDARY = b"engarde-bench"
_HEAD = (
    b"--" + _BOUNDARY + b"\r\n"
    b'Content-Disposition: form-data; name="file"; filename="large.pdf"\r\n\r\n%PDF-1.7\n'
)
_END = b"\r\n--" + _BOUNDARY + b"--\r\n"


class Watch:
    """The largest memory of a server's own process while it is watched."""

    def __init__(self, server: Server) -> None:
        self.peak_mb = 0.0
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_S):
            self.peak_mb = max(self.peak_mb, self._server.memory().own_mb)


def main() -> None:
    """Measure, print, and fail where the target is missed."""
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else 2) * GB)
    with workplace() as place:
        data_dir, port = place.path / "data", free_port()
        command = [str(Path(sys.executable).with_name("engarde")), "run"]
        command += ["--data-dir", str(data_dir), "--port", str(port)]
        server = Server("engarde", command, data_dir=data_dir, port=port)
        place.running.callback(server.stop)
        server.start()
        growth_mb = _measure(server, size)
    sys.exit(growth_mb > GROWTH_MAX_MB)


def _measure(server: Server, size: int) -> float:
    key = json.loads((server.data_dir / "credentials.json").read_text())["api_key"]
    with httpx.Client(
        base_url=f"http://127.0.0.1:{server.port}",
        headers={"X-API-Key": key},
        timeout=REQUEST_LIMIT_S,
    ) as http:
        _upload(http, BLOCK_BYTES)
        server.settle()
        before_mb = server.memory().own_mb
        with Watch(server) as up:
            began = time.perf_counter()
            url, sha256 = _upload(http, size)
            up_s = time.perf_counter() - began
        with Watch(server) as down:
            began = time.perf_counter()
            if _download(http, url) != sha256:
                raise BenchError("the file came back as another one")
            down_s = time.perf_counter() - began
    growth_mb = max(up.peak_mb, down.peak_mb) - before_mb
    print(
        f"{size / GB:g} GB: up {size / _MB / up_s:.0f} MB/s, down {size / _MB / down_s:.0f} MB/s, "
        f"memory {before_mb:.0f} MB + {growth_mb:.0f} MB (at most {GROWTH_MAX_MB:g})"
    )
    return growth_mb


def _upload(http: httpx.Client, size: int) -> tuple[str, str]:
    answer = http.post(
        "/api/media",
        content=_form(size),
        headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY.decode()}"},
    )
    answer.raise_for_status()
    made = answer.json()
    return made["url"], made["sha256"]


def _form(size: int) -> Iterator[bytes]:
    yield _HEAD
    block = hashlib.sha256(b"engarde").digest() * (BLOCK_BYTES // 32)
    for start in range(0, size, BLOCK_BYTES):
        yield block[: min(BLOCK_BYTES, size - start)]
    yield _END


def _download(http: httpx.Client, url: str) -> str:
    digest = hashlib.sha256()
    with http.stream("GET", url) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_raw():
            digest.update(chunk)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
