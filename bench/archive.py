"""The embedded archive at size: what a row takes, how fast it is written, found and read.

`python -m bench archive --rows 1000000` fills an archive of its own in batches, as replication does,
and asks it as readers do. CPU seconds stand beside wall time, since machines are often shared.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from bench.load.prose import Prose
from bench.targets import Verdict, at_least, at_most
from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.adapters.archive.engine import Engine
from engarde_daemon.adapters.archive.rewriting import QUIET_S, merge_quiet_days
from engarde_daemon.adapters.archive.segments import listing
from engarde_daemon.domain.content import sha256_of
from engarde_daemon.domain.snapshots import ContentSnapshot, snapshot_id
from engarde_daemon.ports.archive import ArchiveTable, Frozen, Span

BATCH_ROWS = 500
BODY_CHARACTERS = 4_000
EDIT_CHARACTERS = 400
VERSIONS = 3
DAYS = 30
LOOKUPS = 200
NEWEST_MS, SCANNED_PER_S, ROW_BYTES = 50.0, 50_000.0, 1_229.0  # 1.2 KB
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_SPAN = Span(_BEGIN, _BEGIN + timedelta(days=DAYS + 1))

Say = Callable[[str], None]


class Corpus:
    """Rows with bodies as hard to compress as English, each version a text of its own.

    With `edits` a later version changes a tenth of the one before, as people do.
    """

    def __init__(self, rows: int, *, edits: bool) -> None:
        self._rows = rows
        self._edits = edits
        self._body = ""
        self._chance = random.Random(7)
        self._prose = Prose(7)
        self.contents: list[tuple[str, str]] = []

    def batches(self) -> Iterator[Frozen]:
        """All rows, in the batches that replication would freeze."""
        for first in range(0, self._rows, BATCH_ROWS):
            rows = [self._row(n) for n in range(first, min(self._rows, first + BATCH_ROWS))]
            yield Frozen(
                table=ArchiveTable.SNAPSHOTS,
                stream="files",
                offset=first,
                first_id=first + 1,
                last_id=first + len(rows),
                rows=rows,
            )

    def _row(self, number: int) -> dict[str, Any]:
        if number % VERSIONS == 0:
            content = str(uuid.UUID(int=self._chance.getrandbits(128)))
            self.contents.append((f"tenant-{number % 2}", content))
        (tenant_id, content_id), version = self.contents[-1], number % VERSIONS + 1
        body = self._body = self._next_body(version)
        at = _BEGIN + timedelta(seconds=number * DAYS * 86_400 / self._rows)
        sha256 = sha256_of(body)
        return ContentSnapshot(
            content_id=content_id,
            snapshot_id=snapshot_id(content_id, version),
            tenant_id=tenant_id,
            brand_id=f"{tenant_id}-brand",
            campaign_space_id=None,
            user_id="user",
            title=body[:60],
            content_body=body,
            content_type="post",
            status="draft",
            metadata={"tags": [body[:5]]},
            ai_generation_metadata={},
            storage_metadata={"size_bytes": len(body.encode()), "sha256": sha256},
            version=version,
            version_of=None if version == 1 else content_id,
            snapshot_timestamp=at,
            content_created_at=at,
            content_updated_at=at,
            ingested_at=at,
            deleted_at=None,
            change_type="update",
            changed_by="user",
            changes_summary="title changed",
            sha256=sha256,
        ).row

    def _next_body(self, version: int) -> str:
        if version == 1 or not self._edits:
            return self._prose.text(BODY_CHARACTERS)
        begin = self._chance.randrange(BODY_CHARACTERS - EDIT_CHARACTERS)
        edited = self._prose.text(EDIT_CHARACTERS)
        return self._body[:begin] + edited + self._body[begin + EDIT_CHARACTERS :]


class Stopwatch:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """The seconds so far."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


async def measure(rows: int, root: Path, say: Say, *, edits: bool) -> list[Verdict]:
    """Fill an archive and ask it."""
    corpus = Corpus(rows, edits=edits)
    async with EmbeddedArchive(root, timeout_s=120.0, now=time.time) as archive:
        await archive.prepare()
        await _fill(archive, corpus, say)
        await _let_days_pass(root)
        files = listing(root, ArchiveTable.SNAPSHOTS).live
        row_bytes = sum(one.path.stat().st_size for one in files) / rows
        say(f"disk        {row_bytes:,.0f} bytes a row, {len(files)} files")
        newest_ms = await _look_up(archive, corpus, say)
        rate = await _scan(archive, rows, say)
    return [
        at_most("newest version of an id, p50", newest_ms, NEWEST_MS, unit="ms"),
        at_least("rows a second that a scan reads", rate, SCANNED_PER_S, told=f"{rate:,.0f}/s"),
        at_most("disk of a row of 4 KB", row_bytes, ROW_BYTES, unit="bytes"),
    ]


async def _fill(archive: EmbeddedArchive, corpus: Corpus, say: Say) -> None:
    wall = cpu = slowest = 0.0
    rows = 0
    for batch in corpus.batches():
        watch = Stopwatch()
        await archive.append(batch)
        took, used = watch.read()
        rows += len(batch.rows)
        wall, cpu, slowest = wall + took, cpu + used, max(slowest, took)
    say(f"append      {rows / wall:,.0f} rows/s, {cpu / rows * 1e6:,.0f} µs of CPU a row")
    say(f"            slowest batch, with its merge, {slowest * 1e3:.0f} ms")


async def _let_days_pass(root: Path) -> None:
    """Merge what the daemon does on days to which nothing is added any more."""
    engine, later = Engine(root, timeout_s=600.0), time.time() + 2 * QUIET_S
    await engine.open()
    while await engine.run(partial(merge_quiet_days, root=root, now=later)):
        continue
    await engine.close()


async def _look_up(archive: EmbeddedArchive, corpus: Corpus, say: Say) -> float:
    took_ms, used_ms = [], []
    for tenant_id, content_id in corpus.contents[:: max(1, len(corpus.contents) // LOOKUPS)]:
        watch = Stopwatch()
        found = await archive.newest(tenant_id, [content_id], _SPAN)
        took, used = watch.read()
        took_ms.append(took * 1e3)
        used_ms.append(used * 1e3)
        assert found, content_id  # noqa: S101 - a figure about nothing would be worthless
    cuts = statistics.quantiles(took_ms, n=20)
    say(
        f"newest      p50 {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms over all {DAYS} days, "
        f"{statistics.median(used_ms):.1f} ms of CPU, the first {took_ms[0]:,.0f} ms"
    )
    return cuts[9]


async def _scan(archive: EmbeddedArchive, rows: int, say: Say) -> float:
    watch, seen = Stopwatch(), 0
    async for page in archive.scan(_SPAN):
        seen += len(page)
    wall, cpu = watch.read()
    assert seen == rows, seen  # noqa: S101 - see above
    say(f"scan        {rows / wall:,.0f} rows/s, {cpu / rows * 1e6:,.0f} µs of CPU a row")
    watch, seen = Stopwatch(), 0
    async for keys in archive.keys(_SPAN):
        seen += len(keys)
    say(f"keys        {seen / watch.read()[0]:,.0f} rows/s")
    return rows / wall


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be said on the command line."""
    parser.add_argument("--rows", type=int, default=60_000, help="(60,000)")
    parser.add_argument("--edits", action="store_true", help="versions that edit the one before")


def run(options: argparse.Namespace, say: Say) -> list[Verdict]:
    """Measure in a folder that is removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix="engarde-bench-archive-"))
    try:
        return anyio.run(partial(measure, options.rows, root, say, edits=options.edits))
    finally:
        shutil.rmtree(root)
