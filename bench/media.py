"""`python -m bench media`: what a large file costs in memory, on its way in and out.

A daemon of its own takes files in that are made as they go, at once and bit by bit, gives one back,
and is looked at all the while. What counts is how much its resident memory grows above what it was
after a small file. `--count` is the size of a file in MB.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator

import httpx
import msgspec

from bench.errors import BenchError
from bench.server import Server
from bench.systems import SYSTEMS
from bench.targets import Verdict, at_most
from bench.watching import PeakMemory
from bench.workplace import workplace

SIZE_MB = 2_048
GROWTH_MB = 64.0
BLOCK_BYTES = 1024 * 1024
BLOCKS_IN_A_PATCH = 64
REQUEST_LIMIT_S = 3600.0
_TUS = {"Tus-Resumable": "1.0.0"}
_BYTES = {**_TUS, "Content-Type": "application/offset+octet-stream"}
_BOUNDARY = b"engarde-bench"
_HEAD = (
    b"--" + _BOUNDARY + b"\r\n"
    b'Content-Disposition: form-data; name="file"; filename="large.pdf"\r\n\r\n'
)
_END = b"\r\n--" + _BOUNDARY + b"--\r\n"
_MAGIC = b"%PDF-1.7\n"
_BLOCK = hashlib.sha256(b"engarde").digest() * (BLOCK_BYTES // 32)

Say = Callable[[str], None]


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """What a file cost on its way."""

    sha256: str
    growth_mb: float
    seconds: float
    cpu_s: float

    def shown(self, blocks: int) -> str:
        """The memory, and what the file took of the clock and of the processor."""
        rate = blocks / self.seconds
        return f"{self.growth_mb:.0f} MB; {rate:,.0f} MB/s, {self.cpu_s:.1f} s of the processor"


def run(count: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    blocks = count or SIZE_MB
    with workplace() as place:
        server = SYSTEMS["engarde"].server(place.path)
        server.start()
        place.running.callback(server.stop)
        key = json.loads((server.data_dir / "credentials.json").read_text())["api_key"]
        with httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"X-API-Key": key},
            timeout=REQUEST_LIMIT_S,
        ) as http:
            return _passed(server, http, blocks, say=say)


def _passed(server: Server, http: httpx.Client, blocks: int, *, say: Say) -> list[Verdict]:
    _upload(http, 1)
    _resume(http, 1)
    server.settle()
    expected = _sha256(_file(blocks))
    ways: dict[str, Callable[[], str]] = {
        "uploaded at once": lambda: _upload(http, blocks),
        "uploaded bit by bit": lambda: _resume(http, blocks),
        "downloaded": lambda: _download(http),
    }
    verdicts = []
    for way, work in ways.items():
        say(f"{blocks:,} MB, {way} ...")
        passed = _watched(server, work)
        if passed.sha256 != expected:
            raise BenchError(f"{way}, a file became another one")
        say(passed.shown(blocks))
        verdict = at_most(f"memory growth, {way}", passed.growth_mb, GROWTH_MB, unit="MB")
        verdicts.append(msgspec.structs.replace(verdict, measured=passed.shown(blocks)))
    return verdicts


def _watched(server: Server, work: Callable[[], str]) -> Passed:
    before, began = server.cpu(), time.perf_counter()
    with PeakMemory(server) as memory:
        sha256 = work()
    seconds, spent = time.perf_counter() - began, server.cpu() - before
    return Passed(sha256=sha256, growth_mb=memory.growth_mb, seconds=seconds, cpu_s=spent.own_s)


def _upload(http: httpx.Client, blocks: int) -> str:
    answer = http.post(
        "/api/media",
        content=_form(blocks),
        headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY.decode()}"},
    )
    return str(answer.raise_for_status().json()["sha256"])


def _form(blocks: int) -> Iterator[bytes]:
    yield _HEAD
    yield from _file(blocks)
    yield _END


def _file(blocks: int) -> Iterator[bytes]:
    yield _MAGIC + _BLOCK[len(_MAGIC) :]
    for _ in range(blocks - 1):
        yield _BLOCK


def _resume(http: httpx.Client, blocks: int) -> str:
    size = str(blocks * BLOCK_BYTES)
    begun = http.post("/api/media/uploads", headers={**_TUS, "Upload-Length": size})
    place = begun.raise_for_status().headers["location"]
    file = _file(blocks)
    for start in range(0, blocks, BLOCKS_IN_A_PATCH):
        count = min(BLOCKS_IN_A_PATCH, blocks - start)
        offset = {"Upload-Offset": str(start * BLOCK_BYTES)}
        piece = (next(file) for _ in range(count))
        http.patch(place, content=piece, headers=_BYTES | offset).raise_for_status()
    made = http.get(f"/api/media/{place.rpartition('/')[2]}").raise_for_status()
    return str(made.json()["sha256"])


def _download(http: httpx.Client) -> str:
    page = http.get("/api/media", params={"pageSize": 1}).raise_for_status().json()
    with http.stream("GET", page["data"][0]["url"]) as answer:
        return _sha256(answer.raise_for_status().iter_raw())


def _sha256(chunks: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
