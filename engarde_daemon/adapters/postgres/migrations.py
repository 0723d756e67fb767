"""The schema, brought up to date in one transaction.

Owns the rule that an existing En Garde database is only added to: the platform's tables are
created where they are missing and never touched otherwise, and a migration that has run may never
change, which its checksum shows.
"""

import hashlib

import asyncpg
import msgspec

import sql
from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.errors import Rejected

OLDEST_SERVER = 140000

_SQL = sql.statements("schema")
_ROLES = "0001_pre_roles.sql"


class SchemaError(Rejected):
    """The database's schema is not one this daemon can work with."""


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration did: names of migrations and of platform tables it created."""

    applied: list[str]
    created: list[str]


async def migrate(dsn: str, *, timeout_s: float = 120.0) -> Migrated:
    """Bring the database up to date, or leave it as it was.

    Raises:
        Unavailable: PostgreSQL does not answer.
        SchemaError: The server is too old, the user has too few rights, or a migration that
            already ran was changed.
    """
    with translated():
        connection = await asyncpg.connect(dsn, timeout=timeout_s, command_timeout=timeout_s)
        try:
            async with connection.transaction():
                return await _bring_up_to_date(connection)
        except asyncpg.InsufficientPrivilegeError as error:
            raise SchemaError(
                "The user in [postgres] dsn may not migrate: it must own the platform's tables "
                "and be allowed to create and grant the roles engarde_owner, engarde_api and "
                "engarde_actor."
            ) from error
        finally:
            connection.terminate()


async def pending(connection: asyncpg.Connection) -> list[str]:
    """The migrations this database still needs.

    Raises:
        SchemaError: A migration that already ran was changed.
    """
    if not await connection.fetchval(_SQL["history_exists"]):
        return sql.listing("migrations")
    done = {row["name"]: row["checksum"] for row in await connection.fetch(_SQL["history"])}
    names = sql.listing("migrations")
    changed = [name for name in names if name in done and done[name] != _checksum(name)]
    if changed:
        raise SchemaError(
            f"Migration {changed[0]} has run in another form before. Install the release that "
            "this database was made with, or a later one."
        )
    return [name for name in names if name not in done]


async def _bring_up_to_date(connection: asyncpg.Connection) -> Migrated:
    await connection.execute(_SQL["lock"])
    if await connection.fetchval(_SQL["server_version"]) < OLDEST_SERVER:
        raise SchemaError("PostgreSQL 14 or later is needed.")
    names = await pending(connection)
    created: list[str] = []
    if names and _ROLES not in names:
        created = await _create_platform_tables(connection)  # those that newer migrations rest on
    for name in names:
        await connection.execute(sql.text(f"migrations/{name}"))
        if name == _ROLES:
            await connection.execute(_SQL["create_history"])
            created = await _create_platform_tables(connection)
        await connection.execute(_SQL["record"], name, _checksum(name))
    return Migrated(applied=names, created=created)


async def _create_platform_tables(connection: asyncpg.Connection) -> list[str]:
    created = []
    await connection.execute(_SQL["allow_references"])
    for file in sql.listing("platform"):
        table = file.removesuffix(".sql").partition("_")[2]
        if await connection.fetchval(_SQL["table_exists"], table):
            continue
        await connection.execute(_SQL["become_owner"])
        await connection.execute(sql.text(f"platform/{file}"))
        await connection.execute(_SQL["become_self"])
        created.append(table)
    return created


def _checksum(name: str) -> str:
    return hashlib.sha256(sql.text(f"migrations/{name}").encode()).hexdigest()
