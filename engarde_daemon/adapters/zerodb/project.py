"""The project that holds the collections, and the collections themselves, made where missing.

Owns what is done before the first row: a table is looked for before it is made, because a server
that is asked twice fails in ways of its own, and never deleted, because zerodb-local 0.2.0 cannot
make a table again whose name was once deleted.
"""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from engarde_daemon.adapters.zerodb.dialects import (
    TABLES_PER_PAGE,
    Call,
    Dialect,
    names_in,
    tables,
)
from engarde_daemon.adapters.zerodb.door import Door
from engarde_daemon.adapters.zerodb.refusals import OutcomeUnknown, Refused, Unreadable

PROJECT_NAME = "engarde"
_PAGES_MAX = 100


class _Project(msgspec.Struct, frozen=True):
    id: str
    name: str


_decode_projects = msgspec.json.Decoder(list[_Project]).decode


async def find(door: Door, dialect: Dialect, project_id: str) -> str | None:
    """The path of the project with this id, or of the one of ours if it is empty.

    Raises:
        Unavailable: The server does not answer, or does not know the project.
    """
    if dialect.knows_projects and project_id:
        # Asked for the tables of a project that it does not know, zerodb-local says there are none.
        await door.ask(Call(method="GET", path=f"/projects/{quote(project_id, safe='')}"))
    found = project_id or await _named_ours(door)
    return None if found is None else f"/projects/{quote(found, safe='')}/database"


async def ensure(door: Door, dialect: Dialect, project_id: str) -> str:
    """The path of the project, made if it has no id and there is none of ours.

    Raises:
        Unavailable: The server does not answer, or neither knows nor makes the project.
    """
    path = await find(door, dialect, project_id)
    if path is None:
        body = {"name": PROJECT_NAME, "description": "Content of the En Garde platform"}
        await _try(door, Call(method="POST", path="/projects", body=body, repeatable=False))
        path = await find(door, dialect, project_id)
    if path is None:
        raise Unreadable(
            f"ZeroDB at {door.place.host} makes no project named {PROJECT_NAME}: "
            "make one and set [zerodb] project_id."
        )
    return path


async def _named_ours(door: Door) -> str | None:
    for page in range(_PAGES_MAX):
        path = f"/projects?skip={page * TABLES_PER_PAGE}&limit={TABLES_PER_PAGE}"
        projects = _projects_in(await door.ask(Call(method="GET", path=path)))
        ours = [project.id for project in projects if project.name == PROJECT_NAME]
        if ours or len(projects) < TABLES_PER_PAGE:
            return ours[0] if ours else None
    return None


def _projects_in(answer: bytes) -> list[_Project]:
    try:
        return _decode_projects(answer)
    except (ValueError, RecursionError) as error:
        raise Unreadable("ZeroDB answered with something that is no list of projects.") from error


async def table_names(door: Door, below: str) -> set[str]:
    """The names of a project's tables.

    Raises:
        Unavailable: The server does not answer, or not with tables.
    """
    names: set[str] = set()
    for page in range(_PAGES_MAX):
        found = names_in(await door.ask(tables(skip=page * TABLES_PER_PAGE), below=below))
        names.update(found)
        if len(found) < TABLES_PER_PAGE:
            break
    return names


async def ensure_tables(door: Door, dialect: Dialect, *, below: str, wanted: Sequence[str]) -> None:
    """Make the tables that are missing.

    Raises:
        Unavailable: The server does not answer, or makes no table.
    """
    missing = set(wanted) - await table_names(door, below)
    for table in sorted(missing):
        for creation in dialect.creations(table):
            await _try(door, creation, below=below)
            if table in await table_names(door, below):
                break
        else:
            raise Unreadable(
                f"ZeroDB at {door.place.host} does not make the table {table}: make it by hand."
            )


async def _try(door: Door, call: Call, *, below: str = "") -> None:
    """Ask for something that another daemon may just have made; whoever asks looks afterwards."""
    try:
        await door.ask(call, below=below)
    except OutcomeUnknown:
        return
    except Refused as refusal:
        if refusal.code in {401, 403, 404, 405}:
            raise
