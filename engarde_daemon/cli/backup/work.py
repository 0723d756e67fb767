"""What the commands do, with everything that can go wrong as one sentence."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio

from engarde_daemon.cli import database
from engarde_daemon.cli.backup import restoring, taking
from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.config import Settings

T = TypeVar("T")


def take(settings: Settings, path: Path, *, with_keys: bool) -> taking.Taken:
    """Make a backup.

    Raises:
        CannotStartError: The embedded database or the folder cannot be used.
        EngardeError: It is refused, or a store does not answer.
    """
    return _run(partial(taking.take, settings, path.absolute(), with_keys=with_keys))


def check(path: Path) -> restoring.Checked:
    """Read a backup through.

    Raises:
        CannotStartError: The folder cannot be read.
        Rejected: It is no backup.
    """
    return _run(partial(restoring.check, path.absolute()))


def restore(settings: Settings, path: Path) -> restoring.Restored:
    """Make a data directory of a backup.

    Raises:
        CannotStartError: The embedded database does not start, or a folder cannot be used.
        EngardeError: It is refused, or a store does not answer.
    """
    return _run(partial(restoring.restore, settings, path.absolute()))


def _run(work: Callable[[], Awaitable[T]]) -> T:
    database.keep_logs_off_stdout()
    with _files_explained():
        return anyio.run(work)


@contextmanager
def _files_explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotStartError(
            f"{error.filename or 'A file'}: {error.strerror or error}."
        ) from error
