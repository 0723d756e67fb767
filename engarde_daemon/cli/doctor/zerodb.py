"""Whether bodies have a place to go: the embedded file, or a server and its collections."""

from engarde_daemon.adapters.zerodb.connecting import Connection, missing_tables
from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.cli.doctor.host import check_zerodb_file
from engarde_daemon.config import Settings
from engarde_daemon.daemon.body_store import connection_of
from engarde_daemon.domain.errors import Unavailable

NAME = "ZeroDB"
_STAGED = "Until then bodies are staged in PostgreSQL, up to [delivery] staging_limit_bytes."


async def check_zerodb(settings: Settings) -> Finding:
    """Whether the store that is set can be used; nothing is changed in it."""
    connection = connection_of(settings.zerodb)
    if connection is None:
        return await check_zerodb_file(settings)
    return await _check_server(connection)


async def _check_server(connection: Connection) -> Finding:
    try:
        missing = await missing_tables(connection)
    except Unavailable as error:
        return Finding(NAME, State.FAULT, str(error), _STAGED)
    seen = f"{connection.mode}, {connection.place.host} answers"
    if missing:
        seen = f"{seen}; {', '.join(missing)} not made yet: `engarde run` makes them"
    if connection.place.is_exposed:
        advice = "Use https:// in [zerodb] base_url: the key travels in plain text."
        return Finding(NAME, State.WARNING, seen, advice)
    return Finding(NAME, State.OK, seen)
