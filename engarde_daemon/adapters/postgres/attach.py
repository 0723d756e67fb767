"""The way to the database for whoever is not the daemon.

Owns the manners of a guest: an embedded server that runs is used as it is, and one that does not
is started for as long as it is needed.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import anyio
import asyncpg

from engarde_daemon.adapters.postgres.embedded import AlreadyManagedError, EmbeddedPostgres

EMBEDDED = "embedded"
SUPERUSER = "postgres"

DsnAs: TypeAlias = Callable[[str], str]
"""The address under which a role logs in; of an outside server there is only the one given."""

_READY_LIMIT_S = 15.0
_PAUSE_S = 0.05
# What a server says, or the lack of one, while it is being started.
_NOT_YET = (ConnectionRefusedError, FileNotFoundError, asyncpg.CannotConnectNowError)


@asynccontextmanager
async def attached(dsn: str, root: Path) -> AsyncIterator[DsnAs]:
    """Yield the addresses of a server that runs until the block ends; `root` is the embedded one's.

    Raises:
        EmbeddedPostgresError: The embedded server cannot start; the text says what to do.
    """
    if dsn != EMBEDDED:
        yield lambda _: dsn
        return
    server = EmbeddedPostgres(root)
    try:
        await server.start()
    except AlreadyManagedError:
        await _until_ready(server.dsn(user=SUPERUSER))
        yield lambda role: server.dsn(user=role)
        return
    try:
        yield lambda role: server.dsn(user=role)
    finally:
        await server.stop()


async def _until_ready(dsn: str) -> None:
    """Wait for a daemon that has just begun to start its server; who connects next, learns more."""
    with anyio.move_on_after(_READY_LIMIT_S):
        while True:
            try:
                connection = await asyncpg.connect(dsn)
            except _NOT_YET:
                await anyio.sleep(_PAUSE_S)
            else:
                connection.terminate()
                return
