"""How commands reach PostgreSQL, whether or not a daemon runs.

Owns the sentences for whoever named the wrong one: a database that is not there, cannot be reached,
or lacks the daemon's tables is never a traceback.
"""

import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TypeVar

import anyio
import asyncpg

from engarde_daemon.adapters.postgres import migrations
from engarde_daemon.adapters.postgres.administration import Administration
from engarde_daemon.adapters.postgres.attach import EMBEDDED, SUPERUSER, DsnAs, attached
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgresError
from engarde_daemon.adapters.postgres.reaching import reaching, using
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.cli.performing import perform
from engarde_daemon.config import Postgres, Settings

T = TypeVar("T")

LONG_S = 3600.0
"""How long a statement may take for which an operator waits, and nobody else."""
LONG = SessionLimits(readers=1, writers=1, statement_timeout_s=LONG_S)
"""The sessions of such statements."""

_CLOSE_LIMIT_S = 5.0


def administer(settings: Settings, job: Callable[[Administration], Awaitable[T]]) -> T:
    """Do one job with the tenants and keys of the configured database.

    Raises:
        CannotStartError: There is no embedded database yet, or it cannot start.
        EngardeError: The job was refused.
    """
    return perform(partial(_administer, settings, job))


def migrate_schema(settings: Settings) -> migrations.Migrated:
    """Bring the schema up to date, creating the embedded database where there is none.

    Raises:
        CannotStartError: The embedded database cannot start.
        Unavailable: The database cannot be reached.
        SchemaError: The schema is not one this daemon can work with.
    """
    return perform(partial(_migrate_schema, settings))


def is_made(settings: Settings) -> bool:
    """Whether there is a database, as far as files can tell.

    Raises:
        CannotStartError: The data directory is closed to whoever runs the command.
    """
    if settings.postgres.dsn != EMBEDDED:
        return True
    try:
        (settings.storage.postgres_root / "data").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise CannotStartError(
            f"{settings.storage.path} cannot be looked into ({error.strerror}): run this as the "
            "daemon's user, or name another directory with --data-dir."
        ) from error
    return True


def require_made(settings: Settings) -> None:
    """Go on only where there is a database.

    Raises:
        CannotStartError: There is none yet, or the data directory is closed.
    """
    if not is_made(settings):
        raise CannotStartError(
            f"There is no database in {settings.storage.path} yet: `engarde run` makes one. "
            "Or name another directory with --data-dir, or a server in [postgres] dsn."
        )


@asynccontextmanager
async def reachable(settings: Settings) -> AsyncIterator[DsnAs]:
    """Yield the addresses of the configured server, which runs until the block ends.

    Raises:
        CannotStartError: The embedded server cannot start or stop.
    """
    try:
        async with attached(settings.postgres.dsn, settings.storage.postgres_root) as dsn_as:
            yield dsn_as
    except EmbeddedPostgresError as error:
        raise CannotStartError(str(error)) from error


@asynccontextmanager
async def connection(
    dsn_as: DsnAs, postgres: Postgres, *, statement_limit_s: float | None = None
) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the user that migrates.

    Raises:
        Unavailable: The database cannot be reached.
    """
    with reaching(postgres.place, timeout_s=postgres.connect_timeout_s):
        link = await asyncpg.connect(
            dsn_as(SUPERUSER),
            timeout=postgres.connect_timeout_s,
            command_timeout=statement_limit_s or postgres.statement_timeout_s,
            server_settings={"application_name": "engarde", "timezone": "UTC"},
        )
    try:
        yield link
    finally:
        with anyio.CancelScope(shield=True), suppress(TimeoutError):  # it is cut then
            await link.close(timeout=_CLOSE_LIMIT_S)


@asynccontextmanager
async def sessions(settings: Settings) -> AsyncIterator[Sessions]:
    """Open the pools of the configured database.

    Raises:
        CannotStartError: There is no database yet, or it cannot start.
        Unavailable: It cannot be reached.
        Rejected: It lacks the daemon's tables, or the login rights.
    """
    require_made(settings)
    async with reachable(settings) as dsn_as:
        await knock(dsn_as, settings.postgres)
        with using():
            async with Sessions(dsn_as, LONG) as pools:
                yield pools


async def knock(dsn_as: DsnAs, postgres: Postgres) -> None:
    """Connect once, only because the sentence about a failure is clearest here.

    Raises:
        Unavailable: The database cannot be reached.
    """
    async with connection(dsn_as, postgres):
        pass


async def _administer(settings: Settings, job: Callable[[Administration], Awaitable[T]]) -> T:
    require_made(settings)
    async with reachable(settings) as dsn_as, connection(dsn_as, settings.postgres) as link:
        return await job(
            Administration(link, new_id=lambda: str(uuid.uuid4()), randomness=secrets.token_bytes)
        )


async def _migrate_schema(settings: Settings) -> migrations.Migrated:
    async with reachable(settings) as dsn_as:
        await knock(dsn_as, settings.postgres)
        return await migrations.migrate(dsn_as(SUPERUSER))
