"""How commands reach PostgreSQL, whether or not a daemon runs.

Owns the promise that standard output belongs to a command's answer alone.
"""

import secrets
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import anyio
import asyncpg
import structlog

from engarde_daemon.adapters.postgres import migrations
from engarde_daemon.adapters.postgres.administration import Administration
from engarde_daemon.adapters.postgres.attach import EMBEDDED, SUPERUSER, DsnAs, attached
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgresError
from engarde_daemon.adapters.postgres.reaching import reaching
from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.config import Postgres, Settings

T = TypeVar("T")

_CLOSE_LIMIT_S = 5.0


def administer(settings: Settings, job: Callable[[Administration], Awaitable[T]]) -> T:
    """Do one job with the tenants and keys of the configured database.

    Raises:
        CannotStartError: There is no embedded database yet, or it cannot start.
        EngardeError: The job was refused.
    """
    keep_logs_off_stdout()
    return anyio.run(partial(_administer, settings, job))


def migrate_schema(settings: Settings) -> migrations.Migrated:
    """Bring the schema up to date, creating the embedded database where there is none.

    Raises:
        CannotStartError: The embedded database cannot start.
        Unavailable: The database cannot be reached.
        SchemaError: The schema is not one this daemon can work with.
    """
    keep_logs_off_stdout()
    return anyio.run(partial(_migrate_schema, settings))


def keep_logs_off_stdout() -> None:
    """Send warnings of the adapters to standard error: standard output belongs to the answer."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def is_made(settings: Settings) -> bool:
    """Whether there is a database, as far as files can tell."""
    made = settings.storage.postgres_root / "data"
    return settings.postgres.dsn != EMBEDDED or made.exists()


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
async def connection(dsn_as: DsnAs, postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the user that migrates.

    Raises:
        Unavailable: The database cannot be reached.
    """
    with reaching(postgres.place, timeout_s=postgres.connect_timeout_s):
        link = await asyncpg.connect(
            dsn_as(SUPERUSER),
            timeout=postgres.connect_timeout_s,
            command_timeout=postgres.statement_timeout_s,
            server_settings={"application_name": "engarde", "timezone": "UTC"},
        )
    try:
        yield link
    finally:
        with anyio.CancelScope(shield=True):
            await link.close(timeout=_CLOSE_LIMIT_S)


async def _administer(settings: Settings, job: Callable[[Administration], Awaitable[T]]) -> T:
    if not is_made(settings):
        raise CannotStartError(
            f"There is no database in {settings.storage.path} yet: `engarde run` makes one. "
            "Or name another directory with --data-dir."
        )
    async with reachable(settings) as dsn_as, connection(dsn_as, settings.postgres) as link:
        return await job(
            Administration(link, new_id=lambda: str(uuid.uuid4()), randomness=secrets.token_bytes)
        )


async def _migrate_schema(settings: Settings) -> migrations.Migrated:
    async with reachable(settings) as dsn_as:
        async with connection(dsn_as, settings.postgres):
            pass  # says why it cannot be reached, where `migrate` only says that
        return await migrations.migrate(dsn_as(SUPERUSER))
