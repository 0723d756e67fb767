"""A backup of the embedded stores, whether or not a daemon writes to them meanwhile.

Owns the order. PostgreSQL is copied first, because it says what is true; the others, which are only
ever given what is true already, are copied after it, and nothing is removed from them meanwhile. So
the copies of the others have everything that the copy of PostgreSQL relies on, and more; what is
more is cut off by a restore. Owns also that an unfinished backup never looks like one.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import anyio
import msgspec
from anyio import from_thread, to_thread

from engarde_daemon.adapters.archive import backup as archive
from engarde_daemon.adapters.archive.walking import reading_for_long
from engarde_daemon.adapters.backup import folder, manifest
from engarde_daemon.adapters.backup.folder import Advance
from engarde_daemon.adapters.postgres.attach import EMBEDDED, SUPERUSER
from engarde_daemon.adapters.postgres.backup import hold, require_copyable
from engarde_daemon.adapters.postgres.embedded.base_backup import copy_server
from engarde_daemon.adapters.zerodb.embedded import FILE_NAME
from engarde_daemon.adapters.zerodb.embedded_backup import copy_store
from engarde_daemon.cli import database
from engarde_daemon.cli.progress import progress
from engarde_daemon.config import Settings
from engarde_daemon.config.stores import Storage
from engarde_daemon.domain.errors import Rejected

T = TypeVar("T")

UNFINISHED = ".unfinished"
POSTGRES = "postgres"
OBJECT_ON_ITS_WAY = "#"
"""In the name of what object_store has not finished: it writes to `<name>#<n>` first."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made."""

    path: str
    holds_until: datetime
    stores: tuple[str, ...]
    left_out: tuple[str, ...]
    files: int
    bytes: int


async def take(settings: Settings, target: Path, *, with_keys: bool) -> Taken:
    """Make a backup in a folder that is not there yet.

    Raises:
        Rejected: The folder is there already, PostgreSQL is not embedded, or another is being made.
        CannotStartError: The embedded database cannot be used.
        Unavailable: A store does not answer.
        OSError: The folder cannot be written.
    """
    _refuse(settings, target)
    async with AsyncExitStack() as resources:
        dsn_as = await resources.enter_async_context(database.reachable(settings))
        link = await resources.enter_async_context(database.connection(dsn_as, settings.postgres))
        await require_copyable(link)
        await hold(link)
        unfinished = await resources.enter_async_context(_unfinished(target))
        holds_until = datetime.now(UTC)
        await _copy_stores(settings.storage, unfinished, dsn_as(SUPERUSER))
        keys = list(_copy_keys(settings, unfinished)) if with_keys else []
        made = await in_thread(partial(_describe, unfinished, holds_until, has_keys=bool(keys)))
        left_out = tuple(_left_out(settings, with_keys=with_keys))
        made = msgspec.structs.replace(made, left_out=left_out)
        await in_thread(partial(_finish, unfinished, target, made))
    return Taken(
        path=str(target),
        holds_until=holds_until,
        stores=made.stores,
        left_out=left_out,
        files=len(made.files),
        bytes=made.bytes,
    )


async def in_thread(work: Callable[[], T]) -> T:
    """Do blocking work in a thread; what it calls to advance ends it where it was cancelled."""
    return await to_thread.run_sync(work, limiter=anyio.CapacityLimiter(1))


def interruptible(advance: Advance) -> Advance:
    """As `advance`, for a thread: whoever waits for it may have been cancelled."""

    def check_and_advance(step: int) -> None:
        from_thread.check_cancelled()
        advance(step)

    return check_and_advance


def _refuse(settings: Settings, target: Path) -> None:
    if settings.postgres.dsn != EMBEDDED:
        raise Rejected(
            "[postgres] dsn names a server of yours: back it up with its own tools. This command "
            "keeps embedded stores, and without PostgreSQL nothing says what belongs to them."
        )
    if not database.is_made(settings):
        raise Rejected(f"There is nothing in {settings.storage.path} to back up: see --data-dir.")
    if target.exists():
        raise Rejected(f"{target} is there already: name a folder that is not.")
    if target.resolve().is_relative_to(settings.storage.path.resolve()):
        raise Rejected(f"{target} lies in the data directory: keep the backup elsewhere.")


@asynccontextmanager
async def _unfinished(target: Path) -> AsyncIterator[Path]:
    """A folder to work in; whatever is left of it goes, also what a killed backup left."""
    unfinished = target.with_name(target.name + UNFINISHED)
    await in_thread(partial(folder.remove, unfinished))
    folder.make_folder(unfinished)
    try:
        yield unfinished
    finally:
        with anyio.CancelScope(shield=True):
            await in_thread(partial(folder.remove, unfinished))


async def _copy_stores(storage: Storage, target: Path, dsn: str) -> None:
    size = await in_thread(partial(folder.size_of, storage.path))
    kept = storage.archive_folder
    with (
        reading_for_long(kept) if kept.is_dir() else nullcontext(),
        progress("Copying", "bytes", size) as advance,
    ):
        await copy_server(storage.postgres_root, target / POSTGRES, dsn=dsn, advance=advance)
        await in_thread(partial(_copy_others, storage, target, interruptible(advance)))


def _copy_others(storage: Storage, target: Path, advance: Advance) -> None:
    for place in (storage.zerodb_folder, storage.zerodb_next_folder):
        if (place / FILE_NAME).exists():
            copy_store(place / FILE_NAME, target / place.name / FILE_NAME, advance)
    archive.copy_files(storage.archive_folder, target / storage.archive_folder.name, advance)
    media = storage.media_folder
    for name in folder.walk(media)[1]:
        if OBJECT_ON_ITS_WAY not in name:
            folder.copy_file(media / name, target / media.name / name, advance)


def _copy_keys(settings: Settings, target: Path) -> Iterator[str]:
    for file in (settings.storage.secret_key_file, settings.storage.credentials_file):
        if file.exists():
            folder.copy_file(file, target / file.name, lambda _: None)
            yield file.name


def _left_out(settings: Settings, *, with_keys: bool) -> Iterator[str]:
    """What the settings place elsewhere, or somebody did not want to be kept here."""
    if not with_keys:
        yield "the key that seals tenants' secrets, and credentials.json"
    elif settings.secrets.key_file:
        yield "the key that seals tenants' secrets: [secrets] key_file names it"
    if settings.zerodb.mode != "embedded":
        yield "the ZeroDB of [zerodb]"
    if settings.bigquery.mode != "embedded":
        yield "the BigQuery of [bigquery]"
    if settings.media.url != "embedded":
        yield "the files in the store of [media] url"


def _describe(unfinished: Path, holds_until: datetime, *, has_keys: bool) -> manifest.Manifest:
    size = folder.size_of(unfinished)
    with progress("Describing", "bytes", size) as advance:
        files = tuple(manifest.list_files(unfinished, interruptible(advance)))
    return manifest.Manifest(
        format=manifest.FORMAT,
        engarde=version("engarde-daemon"),
        holds_until=holds_until,
        stores=tuple(sorted(place.name for place in unfinished.iterdir() if place.is_dir())),
        left_out=(),
        has_keys=has_keys,
        folders=tuple(folder.walk(unfinished)[0]),
        files=files,
    )


def _finish(unfinished: Path, target: Path, made: manifest.Manifest) -> None:
    manifest.write_manifest(unfinished, made)
    folder.make_durable(unfinished)
    folder.rename_durably(unfinished, target)
