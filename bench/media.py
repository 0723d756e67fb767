"""`python -m bench media`: what a large file costs in memory, on its way in and out.

A daemon of its own takes a file in that is made as it goes, gives it back, and is looked at all the
while. The figure is how much its resident memory grows above what it was after a small file.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator

import httpx

from bench.errors import BenchError
from bench.server import Server
from bench.systems import SYSTEMS
from bench.targets import Verdict, at_most
from bench.watching import PeakMemory
from bench.workplace import workplace

GB = 1024**3
GIGABYTES = 2
GROWTH_MAX_MB = 64.0
BLOCK_BYTES = 1024 * 1024
REQUEST_LIMIT_S = 3600.0
_MB = 1024 * 1024
_BOUNDARY = b"engarde-bench"
_HEAD = (
    b"--" + _BOUNDARY + b"\r\n"
    b'Content-Disposition: form-data; name="file"; filename="large.pdf"\r\n\r\n%PDF-1.7\n'
)
_END = b"\r\n--" + _BOUNDARY + b"--\r\n"

Say = Callable[[str], None]


def run(gigabytes: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    size = (gigabytes or GIGABYTES) * GB
    with workplace() as place:
        server = SYSTEMS["engarde"].server(place.path)
        server.start()
        place.running.callback(server.stop)
        growth_mb = _measure(server, size, say)
    return [
        at_most(f"memory growth by a file of {size / GB:g} GB", growth_mb, GROWTH_MAX_MB, unit="MB")
    ]


def _measure(server: Server, size: int, say: Say) -> float:
    key = json.loads((server.data_dir / "credentials.json").read_text())["api_key"]
    with httpx.Client(
        base_url=f"http://127.0.0.1:{server.port}",
        headers={"X-API-Key": key},
        timeout=REQUEST_LIMIT_S,
    ) as http:
        _upload(http, BLOCK_BYTES)
        server.settle()
        with PeakMemory(server) as memory:
            began = time.perf_counter()
            url, sha256 = _upload(http, size)
            say(f"up {size / _MB / (time.perf_counter() - began):.0f} MB/s")
            began = time.perf_counter()
            if _download(http, url) != sha256:
                raise BenchError("the file came back as another one")
            say(f"down {size / _MB / (time.perf_counter() - began):.0f} MB/s")
    return memory.growth_mb


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
