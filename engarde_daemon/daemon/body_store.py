"""The body store that the settings name.

Owns the difference between the embedded ZeroDB, without which the daemon does not start, and a
server, without which it does: bodies are staged until it answers.
"""

from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from engarde_daemon.adapters.switch import Switch
from engarde_daemon.adapters.zerodb.connecting import Connection, base_url_of, connect
from engarde_daemon.adapters.zerodb.door import Place
from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.config import Settings, ZeroDB
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.crossing import Named

_LOG = structlog.get_logger("engarde.daemon")


async def open_switch(settings: Settings, resources: AsyncExitStack) -> Switch:
    """Open the store, and the one that bodies are moved to if there is one.

    Raises:
        EngardeError: An embedded store cannot be opened.
    """
    folder, given = settings.storage.zerodb_folder, settings.zerodb
    used = Named(_address_of(given, folder), await _open(given, folder, resources))
    folder, given = settings.storage.zerodb_next_folder, settings.zerodb_next
    if given.mode == "none":
        return Switch(used, None)
    return Switch(used, Named(_address_of(given, folder), await _open(given, folder, resources)))


async def _open(given: ZeroDB, folder: Path, resources: AsyncExitStack) -> BodyStore:
    connection = connection_of(given)
    if connection is None:
        return await _open_embedded(given, folder, resources)
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


def _address_of(given: ZeroDB, folder: Path) -> str:
    if given.mode == "embedded":
        return f"embedded {folder}"
    return f"{given.mode} {base_url_of(given.mode, given.base_url)} {given.project_id}".strip()


async def _open_embedded(given: ZeroDB, folder: Path, resources: AsyncExitStack) -> BodyStore:
    store = EmbeddedZeroDB(folder, timeout_s=given.timeout_s)
    await resources.enter_async_context(store)
    await store.prepare()
    return store
