"""Which failure ends in which exit code.

Owns the promise that scripts can rely on: every failure that a person can do something about ends
here as one sentence on standard error and a code of its own, never as a traceback.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import rich_click as click

from engarde_daemon.config import ConfigurationError
from engarde_daemon.domain.errors import EngardeError, Unavailable
from engarde_daemon.exit_codes import ExitCode


class CannotStartError(Exception):
    """Something outside keeps the command from working; the text says what to do about it."""


@contextmanager
def explained() -> Iterator[None]:
    """End the command with a sentence and a code instead of a traceback."""
    try:
        yield
    except (CannotStartError, ConfigurationError, Unavailable) as error:
        _end(error, ExitCode.CANNOT_START)
    except EngardeError as error:
        _end(error, ExitCode.REFUSED)
    except BrokenPipeError:
        raise  # nobody reads on: click ends without a word
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error) or "no answer in time"
        _end(f"{place}{reason}.", ExitCode.CANNOT_START)


def _end(words: object, code: ExitCode) -> NoReturn:
    click.echo(f"engarde: {words}", err=True)
    raise SystemExit(code)
