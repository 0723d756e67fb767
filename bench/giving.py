"""A bare client of zerodb-local: it gives documents away and looks at nothing.

Owns the likeness to what a daemon sends: the same fields in requests of the same size, and texts that
are as new to the server's index as the daemon's were, which copies of the same documents would not be.
"""

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import msgspec

from tests.support.zerodb_local import LocalServer

TABLES = ("content_items", "content_versions")
ROWS_PER_REQUEST = 50
ROWS_PER_QUERY = 1000
TIMEOUT_S = 60
_DIGITS = "0123456789abcdef"

Documents = Mapping[str, Sequence[Any]]
Load = tuple[str, bytes]


def documents_of(server: LocalServer, project_id: str) -> Documents:
    """What a project holds, by table."""
    path = f"/projects/{project_id}/database/tables"
    with server.client() as http:
        return {table: _rows_in(http, f"{path}/{table}/query") for table in TABLES}


def _rows_in(http: httpx.Client, path: str) -> list[Any]:
    found = []
    for shard in _DIGITS:
        answer = http.post(path, json={"filter": {"shard_1": shard}, "limit": ROWS_PER_QUERY})
        found += [row["data"] for row in answer.raise_for_status().json()]
    return found


def loads_of(documents: Documents, *, number: int) -> list[Load]:
    """The requests that bring such documents, with texts that no other `number` has."""
    digits = list(_DIGITS)
    random.Random(number).shuffle(digits)
    others = str.maketrans(_DIGITS, "".join(digits))
    return [
        (
            f"/tables/{table}/insert",
            msgspec.json.encode(
                {"rows": _with_other_texts(rows[at : at + ROWS_PER_REQUEST], others)}
            ),
        )
        for table, rows in documents.items()
        for at in range(0, len(rows), ROWS_PER_REQUEST)
    ]


def _with_other_texts(value: Any, others: Mapping[int, int]) -> Any:
    if isinstance(value, str):
        return value.translate(others)
    if isinstance(value, dict):
        return {name: _with_other_texts(inner, others) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_other_texts(inner, others) for inner in value]
    return value


@asynccontextmanager
async def into(server: LocalServer, project_id: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a project."""
    async with httpx.AsyncClient(
        base_url=f"{server.base_url}/projects/{project_id}/database",
        headers={"content-type": "application/json", "accept-encoding": "identity"},
        timeout=TIMEOUT_S,
        trust_env=False,
    ) as http:
        yield http


@asynccontextmanager
async def into_new_project(server: LocalServer) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new project that has the tables, and nothing in them."""
    async with into(server, server.new_project()) as http:
        for table in TABLES:
            await http.post("/tables", json={"table_name": table, "schema": {"fields": {}}})
        yield http


async def give(http: httpx.AsyncClient, loads: Sequence[Load], *, lanes: int) -> None:
    """Send all of it, so many requests at once.

    Raises:
        HTTPStatusError: The server refuses one.
    """
    waiting = iter(loads)

    async def lane() -> None:
        for path, load in waiting:
            (await http.post(path, content=load)).raise_for_status()

    async with anyio.create_task_group() as group:
        for _ in range(lanes):
            group.start_soon(lane)
