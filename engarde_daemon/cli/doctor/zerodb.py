"""Whether bodies have a place to go: the embedded file, or a server and its collections."""

from collections.abc import AsyncIterator
from pathlib import Path

from engarde_daemon.adapters.zerodb.connecting import Connection, missing_tables
from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.cli.doctor.host import check_zerodb_file
from engarde_daemon.config import Settings, ZeroDB
from engarde_daemon.daemon.body_store import connection_of
from engarde_daemon.domain.errors import Unavailable

_STAGED = "Until then bodies are staged in PostgreSQL, up to [delivery] staging_limit_bytes."


async def check_zerodb(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the store that is set can be used, and the one to move to; nothing is changed there."""
    yield await _check("ZeroDB", settings.zerodb, settings.storage.zerodb_folder)
    if settings.zerodb_next.mode != "none":
        yield await _check("next ZeroDB", settings.zerodb_next, settings.storage.zerodb_next_folder)


async def _check(name: str, given: ZeroDB, folder: Path) -> Finding:
    connection = connection_of(given)
    if connection is None:
        return await check_zerodb_file(name, folder)
    return await _check_server(name, connection)


async def _check_server(name: str, connection: Connection) -> Finding:
    try:
        missing = await missing_tables(connection)
    except Unavailable as error:
        return Finding(name, State.FAULT, str(error), _STAGED)
    seen = f"{connection.mode}, {connection.place.host} answers"
    if missing:
        seen = f"{seen}; {', '.join(missing)} not made yet: `engarde run` makes them"
    if connection.place.is_exposed:
        advice = "Use https:// in [zerodb] base_url: the key travels in plain text."
        return Finding(name, State.WARNING, seen, advice)
    return Finding(name, State.OK, seen)
