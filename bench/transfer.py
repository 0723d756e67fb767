"""`python -m bench transfer`: bulk creates, an export, and its import into a second daemon.

One client a daemon at a time, as an operator moves a tenant; the items are of 4 KB. What an import
repeats is found by cutting one off half-way and sending the file again.
"""

import hashlib
import json
import socket
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import anyio
import msgspec

from bench.asking import asked, read
from bench.bulk import create_in_bulk, timed
from bench.errors import BenchError
from bench.provision import make_tenants
from bench.server import Server
from bench.systems import SYSTEMS
from bench.targets import BULK_PER_S, Verdict, at_least, at_most
from bench.tenants import Tenant
from bench.watching import PeakMemory
from bench.workplace import Workplace, workplace
from engarde_daemon.domain.access import Role

ITEMS = 100_000
CHUNK_BYTES = 262_144
DELIVERY_LIMIT_S = 600.0
EXPORTS_PER_S, GROWTH_MB = 5_000.0, 50.0

Say = Callable[[str], None]


def run(items: int | None, say: Say) -> list[Verdict]:
    """Measure all of it."""
    count = items or ITEMS
    with workplace() as place:
        (one, (source,)), (other, tenants) = _daemon(place, "one", 1), _daemon(place, "other", 2)
        say(f"creating {count:,} items in bulk ...")
        created = timed(one, count, lambda: create_in_bulk(one.port, source, count))
        settled_s = one.settle(within_s=DELIVERY_LIMIT_S)
        file = place.path / "export.ndjson"
        say(f"{created.told()}; delivered after {settled_s:.1f} s more; exporting ...")
        with PeakMemory(one) as memory:
            exported = timed(one, count, lambda: _export(one.port, source, file))
        say(f"{exported.told()}; importing ...")
        imported = timed(other, count, lambda: _import(other.port, tenants[0], file))
        say(f"{imported.told()}; cutting an import off and sending it again ...")
        repeated = _cut_and_repeat(other.port, tenants[1], file)
        same = _digest(file) == _digest_of(other.port, tenants[0], place.path / "again.ndjson")
    return [
        at_least("bulk create of 4 KB", created.per_second, BULK_PER_S, told=created.told()),
        at_least("export", exported.per_second, EXPORTS_PER_S, told=exported.told()),
        at_most("memory growth of an export", memory.growth_mb, GROWTH_MB, unit="MB"),
        Verdict(promise="an import gives equal hashes", measured=imported.told(), is_kept=same),
        Verdict(
            promise="an import that was cut off repeats nothing",
            measured=f"{repeated:,} of {count:,} stood there from the first time",
            is_kept=0 < repeated < count,
        ),
    ]


def _daemon(place: Workplace, name: str, tenants: int) -> tuple[Server, list[Tenant]]:
    directory = place.path / name
    directory.mkdir()
    server = SYSTEMS["engarde"].server(directory)
    server.start()
    place.running.callback(server.stop)
    return server, anyio.run(make_tenants, server.data_dir, tenants, Role.ADMIN)


def _export(port: int, tenant: Tenant, file: Path) -> None:
    with asked(port, tenant, "/api/content/export") as answer, file.open("wb") as out:
        if answer.status != HTTPStatus.OK:
            raise BenchError(f"an export was refused: {answer.read()[:300]!r}")
        while chunk := answer.read(CHUNK_BYTES):
            out.write(chunk)


def _import(port: int, tenant: Tenant, file: Path) -> dict[str, int]:
    with (
        file.open("rb") as lines,
        asked(port, tenant, "/api/content/import", post=lines) as answer,
    ):
        told: dict[str, int] = json.loads(read(answer, 200))
    if told["failed"]:
        raise BenchError(f"an import failed: {told}")
    return told


def _cut_and_repeat(port: int, tenant: Tenant, file: Path) -> int:
    """Send half of a file and hang up, then all of it; answers with what was unchanged then."""
    with socket.create_connection(("127.0.0.1", port)) as wire, file.open("rb") as lines:
        size = file.stat().st_size
        wire.sendall(
            f"POST /api/content/import HTTP/1.1\r\nHost: bench\r\nX-API-Key: {tenant.api_key}\r\n"
            f"Content-Length: {size}\r\n\r\n".encode()
        )
        for _ in range(size // 2 // CHUNK_BYTES):
            wire.sendall(lines.read(CHUNK_BYTES))
    told = _import(port, tenant, file)
    total = _total(port, tenant)
    if told["imported"] + told["unchanged"] != told["items"] or total != told["items"]:
        raise BenchError(f"an import repeated something: {told}, and there are {total} items")
    return told["unchanged"]


def _total(port: int, tenant: Tenant) -> int:
    with asked(port, tenant, "/api/content?pageSize=1") as answer:
        return int(json.loads(read(answer, 200))["pagination"]["total"])


def _digest_of(port: int, tenant: Tenant, file: Path) -> str:
    _export(port, tenant, file)
    return _digest(file)


def _digest(file: Path) -> str:
    """The titles and hashes of a file's items, whatever their ids."""
    return hashlib.sha256(b"".join(sorted(_proofs(file)))).hexdigest()


class _Proof(msgspec.Struct):
    title: str = ""
    sha256: str = ""


def _proofs(file: Path) -> Iterator[bytes]:
    with file.open("rb") as lines:
        for line in lines:
            proof = msgspec.json.decode(line, type=_Proof)
            if proof.title:
                yield f"{proof.title} {proof.sha256}\n".encode()
