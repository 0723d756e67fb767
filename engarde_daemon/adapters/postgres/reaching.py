"""Why a PostgreSQL cannot be reached, told to whoever named it.

Owns the sentence: it names the setting, and never the password that may stand in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from engarde_daemon.domain.errors import Unavailable


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
