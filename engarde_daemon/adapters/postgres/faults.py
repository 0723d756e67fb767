"""Driver errors become the daemon's own here, by class and SQLSTATE, never by text.

Owns the rule that nobody beyond the adapter sees an asyncpg exception for a condition that an
operator or a caller can do something about. Errors of our own SQL pass through: they are defects.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from engarde_daemon.domain.errors import Unavailable

# SQLSTATE classes after which the same request may work: connection (08), resources (53),
# operator intervention (57), rolled back by a rival (40), read-only standby (25006).
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = ("08", "53", "57", "40", "25006", "55P03")

UNWRITABLE = (asyncpg.DataError, asyncpg.CheckViolationError, UnicodeEncodeError)
"""What PostgreSQL, or the way there, says of values that no row can hold, however often they come."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what will pass into `Unavailable`.

    Raises:
        Unavailable: PostgreSQL does not answer, or gave up on the statement.
    """
    try:
        yield
    except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
        raise Unavailable("PostgreSQL does not answer. Please try again.") from error
    except asyncpg.PostgresError as error:
        if not str(error.sqlstate).startswith(_PASSING):
            raise
        raise Unavailable("PostgreSQL could not serve this now. Please try again.") from error
