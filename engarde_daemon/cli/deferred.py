"""What commands work with, imported when a command runs and not before.

Owns the start-up time of `engarde`: this is the only module of the command line that imports inside
functions, so that `engarde --help` loads neither a database driver nor a web server.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engarde_daemon import garbage
from engarde_daemon.config import Settings

if TYPE_CHECKING:
    from engarde_daemon.adapters.archive.analysis import Answer
    from engarde_daemon.adapters.postgres.administration import Administration
    from engarde_daemon.adapters.postgres.migrations import Migrated
    from engarde_daemon.adapters.postgres.moving import Migration
    from engarde_daemon.adapters.postgres.rebuilding import Rebuilt
    from engarde_daemon.api.recovery.schemas import RecoveryJob
    from engarde_daemon.cli.archive.work import Status
    from engarde_daemon.cli.backup.restoring import Checked, Restored
    from engarde_daemon.cli.backup.taking import Taken
    from engarde_daemon.cli.doctor.findings import Finding
    from engarde_daemon.cli.retention.work import Gone
    from engarde_daemon.cli.status.work import Overview
    from engarde_daemon.cli.transfer.exporting import Exported
    from engarde_daemon.cli.transfer.importing import Imported
    from engarde_daemon.ports.replication import ReplicationBook
    from engarde_daemon.ports.retention import Expired

T = TypeVar("T")


def run_daemon(settings: Settings, read: Callable[[], Settings]) -> int:
    """Run the daemon to its end and answer with its exit code; `read` reads the settings again."""
    garbage.look_seldom()
    from engarde_daemon import daemon  # noqa: PLC0415 - see above

    return daemon.main(settings, read)


def run_with_dashboard(settings: Settings, read: Callable[[], Settings]) -> int:
    """Run the daemon with the dashboard in its terminal and answer with its exit code."""
    garbage.look_seldom()
    from engarde_daemon import daemon  # noqa: PLC0415 - see above
    from engarde_daemon.cli.dashboard import work  # noqa: PLC0415 - see above

    settings = work.log_to_file(settings)
    return daemon.main(
        settings, lambda: work.log_to_file(read()), beside=partial(work.accompany, settings)
    )


def show_dashboard(settings: Settings, *, url: str | None, key: str | None, light: bool) -> None:
    """Become the dashboard of a running daemon."""
    from engarde_daemon.cli.dashboard import work  # noqa: PLC0415 - see above

    work.show(settings, url=url, key=key, light=light)


def serve_dashboard(settings: Settings, *, url: str | None, listen: str, light: bool) -> None:
    """Become the server of the dashboard for browsers."""
    from engarde_daemon.cli.dashboard import work  # noqa: PLC0415 - see above

    work.serve(settings, url=url, listen=listen, light=light)


def administer(settings: Settings, job: "Callable[[Administration], Awaitable[T]]") -> T:
    """Do one job with the tenants and keys of the configured database."""
    from engarde_daemon.cli import database  # noqa: PLC0415 - see above

    return database.administer(settings, job)


def ask_archive(settings: Settings, question: str) -> "Answer":
    """Answer one SELECT over the archive."""
    from engarde_daemon.cli.archive import work  # noqa: PLC0415 - see above

    return work.ask_archive(settings, question)


def archive_status(settings: Settings) -> "Status":
    """Look at what waits for the archive."""
    from engarde_daemon.cli.archive import work  # noqa: PLC0415 - see above

    return work.status(settings)


def replication(settings: Settings, job: "Callable[[ReplicationBook], Awaitable[T]]") -> T:
    """Do one job with the book of replication."""
    from engarde_daemon.cli.archive import work  # noqa: PLC0415 - see above

    return work.replication(settings, job)


def expired(settings: Settings) -> "list[Expired]":
    """Look at what is past its plan's days."""
    from engarde_daemon.cli.retention import work  # noqa: PLC0415 - see above

    return work.expired(settings)


def expire(settings: Settings) -> "Gone":
    """Forget what is past its plan's days."""
    from engarde_daemon.cli.retention import work  # noqa: PLC0415 - see above

    return work.expire(settings)


def migrate_schema(settings: Settings) -> "Migrated":
    """Bring the schema of the configured database up to date."""
    from engarde_daemon.cli import database  # noqa: PLC0415 - see above

    return database.migrate_schema(settings)


def examine(settings: Settings, config: Path | None) -> "list[Finding]":
    """Check everything the daemon needs; `config` is the file that the settings came from."""
    from engarde_daemon.cli.doctor import rounds  # noqa: PLC0415 - see above
    from engarde_daemon.cli.performing import perform  # noqa: PLC0415 - see above

    return perform(partial(rounds.examine, settings, config))


def look_at(settings: Settings) -> "Overview":
    """Look at the daemon, if one runs, and at its database."""
    from engarde_daemon.cli.status import work  # noqa: PLC0415 - see above

    return work.look_at(settings)


def export_content(settings: Settings, *, resume: bool, **errand: Any) -> "Exported":
    """Write content into a file."""
    from engarde_daemon.cli.transfer import work  # noqa: PLC0415 - see above

    return work.export_content(settings, work.Errand(**errand), resume=resume)


def import_content(settings: Settings, **errand: Any) -> "Imported":
    """Take content in from a file."""
    from engarde_daemon.cli.transfer import work  # noqa: PLC0415 - see above

    return work.import_content(settings, work.Errand(**errand))


def move_assets(settings: Settings, *, dry_run: bool) -> "Migration":
    """Make content of the platform's campaign assets."""
    from engarde_daemon.cli.moving import work  # noqa: PLC0415 - see above

    return work.move_assets(settings, dry_run=dry_run)


def move_items(settings: Settings, *, dry_run: bool, clear_source: bool) -> "Migration":
    """Move the bodies of the platform's content items in."""
    from engarde_daemon.cli.moving import work  # noqa: PLC0415 - see above

    return work.move_items(settings, dry_run=dry_run, clear_source=clear_source)


def order_recovery(
    settings: Settings, order: str, *, url: str | None, key: str | None, **wish: Any
) -> "RecoveryJob":
    """Have the running daemon do a job, and wait for its end."""
    from engarde_daemon.cli.recovery import work  # noqa: PLC0415 - see above

    given = {name: value for name, value in wish.items() if value is not None}
    return work.carry_out(work.find_operators_door(settings, url, key), order, given)


def restore_metadata(settings: Settings) -> "Rebuilt":
    """Make PostgreSQL anew from the archive."""
    from engarde_daemon.cli.recovery import metadata  # noqa: PLC0415 - see above

    return metadata.restore_metadata(settings)


def take_backup(settings: Settings, path: Path, *, with_keys: bool) -> "Taken":
    """Make a backup of the embedded stores."""
    from engarde_daemon.cli.backup import work  # noqa: PLC0415 - see above

    return work.take(settings, path, with_keys=with_keys)


def check_backup(path: Path) -> "Checked":
    """Read a backup through."""
    from engarde_daemon.cli.backup import work  # noqa: PLC0415 - see above

    return work.check(path)


def restore_backup(settings: Settings, path: Path) -> "Restored":
    """Make a data directory of a backup."""
    from engarde_daemon.cli.backup import work  # noqa: PLC0415 - see above

    return work.restore(settings, path)


def play_demo(place: Path, port: int, *, fast: bool, leave: bool) -> None:
    """Play the demonstration."""
    from engarde_daemon.cli.demo import play  # noqa: PLC0415 - see above

    play.play(place, port, fast=fast, leave=leave)
