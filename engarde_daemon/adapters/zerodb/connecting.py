"""From what an operator set to the server it means."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec

from engarde_daemon.adapters.zerodb import project
from engarde_daemon.adapters.zerodb.cloud import CloudDialect
from engarde_daemon.adapters.zerodb.dialects import Dialect
from engarde_daemon.adapters.zerodb.documents import TABLES
from engarde_daemon.adapters.zerodb.door import Door, Place
from engarde_daemon.adapters.zerodb.http import HttpZeroDB
from engarde_daemon.adapters.zerodb.local import LocalDialect

Mode: TypeAlias = Literal["cloud", "local"]

_BASE_URLS: Mapping[Mode, str] = MappingProxyType(
    {
        "cloud": "https://api.ainative.studio/api/v1",
        "local": "http://127.0.0.1:8000/v1",
    }
)
_DIALECTS: Mapping[Mode, Dialect] = MappingProxyType(
    {"cloud": CloudDialect(), "local": LocalDialect()}
)


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A server, the dialect it speaks, and the project there; the key is not shown."""

    mode: Mode
    place: Place
    project_id: str

    @property
    def dialect(self) -> Dialect:
        """The dialect of the server."""
        return _DIALECTS[self.mode]


def base_url_of(mode: Mode, given: str) -> str:
    """The address that was given, or the one where such a server usually is."""
    return (given or _BASE_URLS[mode]).rstrip("/")


def connect(connection: Connection, *, new_id: Callable[[], str]) -> HttpZeroDB:
    """The body store on this server; nothing is sent yet."""
    return HttpZeroDB(
        Door(connection.place),
        connection.dialect,
        project_id=connection.project_id,
        new_id=new_id,
    )


async def missing_tables(connection: Connection) -> list[str]:
    """The collections that a server does not have yet; nothing is changed there.

    Raises:
        Unavailable: The server cannot be reached, or refuses.
    """
    door, dialect = Door(connection.place), connection.dialect
    try:
        found = await project.find(door, dialect, connection.project_id)
        there = await project.table_names(door, found) if found else set()
    finally:
        await door.close()
    return sorted(set(TABLES) - there)
