"""The body store that the settings name.

Owns the difference between the embedded ZeroDB, without which the daemon does not start, and a
server, without which it does: bodies are staged until it answers.
"""

from contextlib import AsyncExitStack

import structlog

from engarde_daemon.adapters.zerodb.connecting import Connection, base_url_of, connect
from engarde_daemon.adapters.zerodb.door import Place
from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.config import Settings, ZeroDB
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.bodies import BodyStore

_LOG = structlog.get_logger("engarde.daemon")


async def open_body_store(settings: Settings, resources: AsyncExitStack) -> BodyStore:
    """Open the store and prepare it, if it answers.

    Raises:
        EngardeError: The embedded store cannot be opened.
    """
    connection = connection_of(settings.zerodb)
    if connection is None:
        return await _open_embedded(settings, resources)
    store = await resources.enter_async_context(connect(connection, new_id=new_id))
    try:
        await store.prepare()
    except Unavailable as error:
        _LOG.warning("ZeroDB is not ready; bodies are staged until it is", reason=str(error))
    return store


def connection_of(zerodb: ZeroDB) -> Connection | None:
    """The server that the settings mean; None where they mean the embedded store."""
    if zerodb.mode == "embedded":
        return None
    place = Place(
        base_url=base_url_of(zerodb.mode, zerodb.base_url),
        api_key=zerodb.api_key,
        auth_scheme=zerodb.auth_scheme,
        timeout_s=zerodb.timeout_s,
        concurrency=zerodb.concurrency,
    )
    return Connection(mode=zerodb.mode, place=place, project_id=zerodb.project_id)


async def _open_embedded(settings: Settings, resources: AsyncExitStack) -> BodyStore:
    store = EmbeddedZeroDB(settings.storage.zerodb_folder, timeout_s=settings.zerodb.timeout_s)
    await resources.enter_async_context(store)
    await store.prepare()
    return store
