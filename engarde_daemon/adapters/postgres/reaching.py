"""Why a PostgreSQL cannot be reached or worked with, told to whoever named it.

Owns the sentences: they name the setting or the command that helps, and never the password that may
stand in the setting.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.errors import Rejected, Unavailable

# No table, column, function or schema of ours, or no role to become.
_NOT_OURS = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InvalidParameterValueError,
)


@contextmanager
def reaching(place: str, *, timeout_s: float) -> Iterator[None]:
    """Explain what keeps a connection from being made; `place` is the DSN without its secrets.

    Raises:
        Unavailable: The URL is none, or the server does not answer, or refuses the login.
    """
    try:
        yield
    except (asyncpg.InterfaceError, ValueError) as error:  # the text may quote the password
        raise Unavailable(
            "The URL in [postgres] dsn cannot be understood: write special characters of its "
            "password as %xx."
        ) from error
    except (OSError, asyncpg.PostgresError) as error:  # TimeoutError is an OSError
        reason = str(error)[:200] or f"no answer within {timeout_s:g} s"
        raise Unavailable(
            f"PostgreSQL ({place}) cannot be reached: {reason}. Check [postgres] dsn."
        ) from error


@contextmanager
def using() -> Iterator[None]:
    """Explain what keeps a database that can be reached from being worked with.

    Raises:
        Unavailable: It does not answer any more.
        Rejected: It has not the schema of this version, or the login has too few rights.
    """
    try:
        with translated():
            yield
    except _NOT_OURS as error:
        raise Rejected(
            "The database lacks the daemon's tables, or those of this version: run `engarde migrate "
            "schema` first."
        ) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise Rejected(
            "The user in [postgres] dsn lacks the rights for this: name the one that migrates."
        ) from error
