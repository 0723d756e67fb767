"""A data directory made of a backup.

Owns two promises. Nothing is restored from a backup of which a single byte is not what it was. And
the data directory appears only when it is whole: PostgreSQL has started on it and stopped, and the
other stores hold nothing that it does not know.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from engarde_daemon.adapters.backup import folder, manifest
from engarde_daemon.adapters.backup.folder import Advance
from engarde_daemon.adapters.backup.manifest import Fault, Manifest
from engarde_daemon.adapters.postgres.attach import EMBEDDED
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgresError
from engarde_daemon.adapters.postgres.embedded.base_backup import put_back
from engarde_daemon.cli import database
from engarde_daemon.cli.backup.settling import CutOff, settle
from engarde_daemon.cli.backup.taking import POSTGRES, UNFINISHED, in_thread, interruptible
from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.cli.progress import progress
from engarde_daemon.config import Settings
from engarde_daemon.config.stores import Postgres, Storage
from engarde_daemon.domain.errors import Rejected

FAULTS_SHOWN = 5


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """A data directory that was made."""

    data_dir: str
    holds_until: datetime
    files: int
    bytes: int
    left_out: tuple[str, ...]
    cut_off: CutOff


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What there is in a backup, and what is wrong with it."""

    holds_until: datetime
    stores: tuple[str, ...]
    left_out: tuple[str, ...]
    has_keys: bool
    files: int
    bytes: int
    faults: tuple[Fault, ...]


async def check(source: Path) -> Checked:
    """Read a backup through.

    Raises:
        Rejected: It is none.
        OSError: It cannot be read.
    """
    held = manifest.read_manifest(source)
    with progress("Checking", "bytes", held.bytes) as advance:
        work = partial(manifest.faults_of, source, held, interruptible(advance))
        faults = await in_thread(work)
    return Checked(
        holds_until=held.holds_until,
        stores=held.stores,
        left_out=held.left_out,
        has_keys=held.has_keys,
        files=len(held.files),
        bytes=held.bytes,
        faults=tuple(faults),
    )


async def restore(settings: Settings, source: Path) -> Restored:
    """Make the data directory of the settings, which must be empty or not there.

    Raises:
        Rejected: The backup is damaged, or the data directory is in use.
        CannotStartError: The embedded database does not start on what was kept.
        Unavailable: A store does not answer.
        OSError: Something cannot be read or written.
    """
    target = settings.storage.path.resolve()  # systemd makes a link of a DynamicUser's directory
    _refuse_used(target)
    _refuse_damaged(source, await check(source))
    held = manifest.read_manifest(source)
    with _unfinished(target) as unfinished:
        await _put_postgres_back(source, unfinished, held)
        others = [one for one in held.files if not one.path.startswith(f"{POSTGRES}/")]
        with progress("Restoring", "bytes", sum(one.bytes for one in others)) as advance:
            paths = [one.path for one in others]
            work = partial(_copy_files, source, unfinished, paths, advance=interruptible(advance))
            await in_thread(work)
        there = _settings_in(unfinished)
        async with database.reachable(there) as dsn_as:
            cut_off = await settle(there, dsn_as)
        await in_thread(partial(folder.rename_durably, unfinished, target))
    return Restored(
        data_dir=str(target),
        holds_until=held.holds_until,
        files=len(held.files),
        bytes=held.bytes,
        left_out=held.left_out,
        cut_off=cut_off,
    )


def _refuse_used(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Rejected(
            f"{target} is not empty, and nothing may be mixed into it: name another directory "
            "with --data-dir."
        )
    if target.is_mount():
        raise Rejected(
            f"{target} is where something is mounted, and a data directory takes its name when it is "
            "whole: name a folder in it with --data-dir, and run the daemon with the same."
        )


def _refuse_damaged(source: Path, found: Checked) -> None:
    if found.faults:
        shown = "; ".join(f"{one.path} ({one.kind})" for one in found.faults[:FAULTS_SHOWN])
        more = len(found.faults) - FAULTS_SHOWN
        rest = f"; and {more} more" if more > 0 else ""
        raise Rejected(f"{source} is damaged, nothing was restored: {shown}{rest}.")


async def _put_postgres_back(source: Path, unfinished: Path, held: Manifest) -> None:
    inner = f"{POSTGRES}/"
    folders = [path.removeprefix(inner) for path in held.folders if path.startswith(inner)]
    try:
        await put_back(source / POSTGRES, unfinished / POSTGRES, folders=folders)
    except EmbeddedPostgresError as error:
        raise CannotStartError(str(error)) from error


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    unfinished = target.with_name(target.name + UNFINISHED)
    folder.remove(unfinished)
    try:
        yield unfinished
    finally:
        folder.remove(unfinished)


def _copy_files(source: Path, target: Path, paths: Iterable[str], *, advance: Advance) -> None:
    for path in paths:
        folder.copy_file(source / path, target / path, advance)
    folder.make_durable(target)


def _settings_in(data_dir: Path) -> Settings:
    return Settings(storage=Storage(data_dir=str(data_dir)), postgres=Postgres(dsn=EMBEDDED))
