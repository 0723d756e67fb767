"""The stores, opened in the order in which they need each other."""

from contextlib import AsyncExitStack, suppress

import anyio
import asyncpg
import msgspec
import structlog

from engarde_daemon.adapters.postgres import isolation, migrations
from engarde_daemon.adapters.postgres.attach import EMBEDDED, SUPERUSER, DsnAs
from engarde_daemon.adapters.postgres.embedded import AlreadyManagedError, EmbeddedPostgres
from engarde_daemon.adapters.postgres.reaching import reaching
from engarde_daemon.adapters.postgres.recovery import PostgresSignpost
from engarde_daemon.adapters.postgres.replication import PostgresStreams
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.adapters.switch import Switch
from engarde_daemon.config import Postgres, Settings
from engarde_daemon.daemon.archives import archive_of, go_on_numbering
from engarde_daemon.daemon.body_store import open_switch
from engarde_daemon.daemon.first_start import ensure_credentials
from engarde_daemon.daemon.likeness import open_likeness
from engarde_daemon.ports.archive import Archive
from engarde_daemon.ports.likeness import LikenessIndex

ATTEMPTS = 20
PAUSE_S = 0.1

_LOG = structlog.get_logger("engarde.daemon")


class Stores(msgspec.Struct, frozen=True):
    """The open stores; `server` is the embedded PostgreSQL, where it is ours to keep alive."""

    sessions: Sessions
    zerodb: Switch
    archive: Archive
    likeness: LikenessIndex | None
    server: EmbeddedPostgres | None


async def open_stores(settings: Settings, resources: AsyncExitStack) -> tuple[Stores, bool]:
    """Open everything and bring it up to date; also answers whether this was the first start.

    Raises:
        EngardeError: A store does not answer, or tenants are not safely apart in it.
        EmbeddedPostgresError: The embedded PostgreSQL cannot start.
    """
    server, dsn_as = await _open_server(settings, resources)
    done = await migrations.migrate(dsn_as(SUPERUSER))
    if done.applied:
        _LOG.info("schema brought up to date", applied=done.applied, created=done.created)
    first = await ensure_credentials(dsn_as(SUPERUSER), settings)
    sessions = await resources.enter_async_context(Sessions(dsn_as, _limits(settings)))
    await isolation.ensure(sessions.readers)
    zerodb = await open_switch(settings, resources)
    zerodb.use(await PostgresSignpost(sessions.writers).in_use())
    archive = await resources.enter_async_context(archive_of(settings))
    if settings.bigquery.mode == "embedded":
        streams = PostgresStreams(sessions.writers)
        await go_on_numbering(settings.storage.archive_folder, streams)
    likeness = open_likeness(settings, resources)
    return Stores(sessions, zerodb, archive, likeness, server), first


async def _open_server(
    settings: Settings, resources: AsyncExitStack
) -> tuple[EmbeddedPostgres | None, DsnAs]:
    if settings.postgres.dsn != EMBEDDED:
        await _knock(settings.postgres)
        return None, lambda _: settings.postgres.dsn
    server = EmbeddedPostgres(settings.storage.postgres_root)
    await _start(server)
    resources.push_async_callback(server.stop)
    return server, lambda role: server.dsn(user=role)


async def _start(server: EmbeddedPostgres) -> None:
    """Start the server; a command such as `engarde tenants` may hold it for a moment."""
    for _ in range(ATTEMPTS - 1):
        with suppress(AlreadyManagedError):
            return await server.start()
        await anyio.sleep(PAUSE_S)
    return await server.start()


async def _knock(postgres: Postgres) -> None:
    """Connect once, only because the sentence about a failure is clearest here."""
    with reaching(postgres.place, timeout_s=postgres.connect_timeout_s):
        connection = await asyncpg.connect(postgres.dsn, timeout=postgres.connect_timeout_s)
    connection.terminate()


def _limits(settings: Settings) -> SessionLimits:
    return SessionLimits(
        readers=settings.postgres.reader_connections,
        writers=settings.postgres.writer_connections,
        request_timeout_s=settings.postgres.request_timeout_s,
        statement_timeout_s=settings.postgres.statement_timeout_s,
        connect_timeout_s=settings.postgres.connect_timeout_s,
    )
