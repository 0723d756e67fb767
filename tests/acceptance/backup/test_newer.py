"""What the other stores took in after PostgreSQL was copied is cut off by a restore."""

import shutil
from datetime import timedelta
from pathlib import Path

import msgspec

from engarde_daemon.adapters.archive import backup as archive_backup
from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.adapters.archive.segments import listing
from engarde_daemon.adapters.archive.walking import reading_for_long
from engarde_daemon.adapters.backup import manifest
from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.ports.archive import Span
from engarde_daemon.testing.records import WRITTEN_AT, key_of, record_with
from engarde_daemon.testing.snapshots import frozen_of, snapshot_with
from tests.acceptance.backup.conftest import engarde

TABLE = ArchiveTable.SNAPSHOTS
ALWAYS = Span(WRITTEN_AT - timedelta(days=1), WRITTEN_AT + timedelta(days=9))
NEWER = record_with("newer", content_id="newer", tenant_id="acme")


async def test_what_postgresql_does_not_know_is_not_restored(kept: Path, place: Path):
    """In any of the stores."""
    async with EmbeddedZeroDB(kept / "zerodb") as store:
        await store.put_many([NEWER])
    async with _archive(kept / "archive") as archive:
        await _append(archive, first=1, count=1)
    for name in ("object", "object.thumbnail"):
        (kept / "media" / "acme").mkdir(mode=0o700, parents=True, exist_ok=True)
        (kept / "media" / "acme" / name).write_bytes(b"newer")
    _describe_anew(kept)

    told = ("restore", "backup", kept, "--data-dir", place / "new")
    code, restored, said = await engarde(*told, cwd=place)

    assert code == 0, said
    assert restored["cut_off"] == {"zerodb_rows": 1, "archive_files": 1, "media_objects": 1}
    assert [path for path in (place / "new" / "media").rglob("*") if path.is_file()] == []
    async with EmbeddedZeroDB(place / "new" / "zerodb") as store:
        assert await store.get_many([key_of(NEWER)]) == {}


async def test_rows_from_before_outlive_a_merge_with_newer_ones(tmp_path: Path):
    """What was merged is kept while somebody reads, so that the newer part can be left out."""
    async with _archive(tmp_path / "archive") as archive:
        with reading_for_long(tmp_path / "archive"):
            await _append(archive, first=1, count=40)
            archive_backup.copy_files(tmp_path / "archive", tmp_path / "copy", lambda _: None)
    assert max(one.last - one.first for one in listing(tmp_path / "copy", TABLE).live) > 1

    assert archive_backup.cut_off(tmp_path / "copy", {TABLE: 11}) > 0

    async with _archive(tmp_path / "copy") as copy:
        rows = [row.content_body async for page in copy.scan(ALWAYS) for row in page]
    assert sorted(rows) == sorted(f"Body {number}" for number in range(1, 11))


def _archive(root: Path) -> EmbeddedArchive:
    # So late that whatever may be swept is.
    return EmbeddedArchive(root, timeout_s=30.0, now=lambda: 2e9)


async def _append(archive: EmbeddedArchive, *, first: int, count: int) -> None:
    await archive.prepare()
    for number in range(first, first + count):
        at = WRITTEN_AT
        row = snapshot_with(f"Body {number}", content_id=f"c{number}", tenant_id="acme", at=at)
        await archive.append(frozen_of([row], stream="files", offset=number - 1, first_id=number))


def _describe_anew(kept: Path) -> None:
    """As if it had all been copied like this."""
    held = manifest.read_manifest(kept)
    (kept / manifest.FILE_NAME).unlink()
    for leftover in (".reading", ".rewriting", "spill"):
        path = kept / "archive" / leftover
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    files = tuple(manifest.list_files(kept, lambda _: None))
    manifest.write_manifest(kept, msgspec.structs.replace(held, files=files))
