"""What a backup needs of PostgreSQL: that nothing goes meanwhile, and what was known at its moment.

Owns the hold: while it lasts, nothing that PostgreSQL has already forgotten is removed from the
other stores, so that a copy of PostgreSQL never knows of what a later copy of them lacks. It ends
with its connection, however that ends.
"""

from collections.abc import Mapping, Sequence

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.errors import Rejected
from sql import statements

_SQL = statements("backup")


async def require_copyable(connection: asyncpg.Connection) -> None:
    """Let a server pass that can be copied while it runs.

    Raises:
        Rejected: It runs with the settings of an older daemon, or with an operator's.
        Unavailable: PostgreSQL does not answer.
    """
    with translated():
        copyable: bool = await connection.fetchval(_SQL["can_be_copied"])
    if not copyable:
        raise Rejected(
            "PostgreSQL was started so that it cannot be copied: restart the daemon, and if that "
            "does not help, undo `ALTER SYSTEM SET wal_level` and `max_wal_senders`."
        )


async def hold(connection: asyncpg.Connection) -> None:
    """Let nothing be removed for good as long as this connection lives.

    Raises:
        Rejected: Another backup is being made.
        Unavailable: PostgreSQL does not answer.
    """
    with translated():
        held: bool = await connection.fetchval(_SQL["hold"])
    if not held:
        raise Rejected("Another backup of these stores is being made: wait for its end.")


async def archive_positions(connection: asyncpg.Connection) -> Mapping[str, int]:
    """The number of the next row of each table of the archive.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    with translated():
        rows = await connection.fetch(_SQL["positions"])
    return {row["table_name"]: row["next_id"] for row in rows}


async def unknown_media(connection: asyncpg.Connection, paths: Sequence[str]) -> list[str]:
    """Which objects of the media store belong to no file and to no upload.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    with translated():
        rows = await connection.fetch(_SQL["unknown_media"], paths)
    return [row["path"] for row in rows]
