"""What the commands do: the way from a path as it was typed to the work."""

from functools import partial
from pathlib import Path

from engarde_daemon.cli.backup import restoring, taking
from engarde_daemon.cli.performing import perform
from engarde_daemon.config import Settings


def take(settings: Settings, path: Path, *, with_keys: bool) -> taking.Taken:
    """Make a backup.

    Raises:
        CannotStartError: The embedded database cannot be used.
        EngardeError: It is refused, or a store does not answer.
        OSError: The folder cannot be written.
    """
    return perform(partial(taking.take, settings, path.absolute(), with_keys=with_keys))


def check(path: Path) -> restoring.Checked:
    """Read a backup through.

    Raises:
        Rejected: It is no backup.
        OSError: The folder cannot be read.
    """
    return perform(partial(restoring.check, path.absolute()))


def restore(settings: Settings, path: Path) -> restoring.Restored:
    """Make a data directory of a backup.

    Raises:
        CannotStartError: The embedded database does not start.
        EngardeError: It is refused, or a store does not answer.
        OSError: A folder cannot be used.
    """
    return perform(partial(restoring.restore, settings, path.absolute()))
