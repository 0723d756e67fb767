"""Every place of the API into which a caller can write text, taken from its own document."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

NOWHERE = "00000000-0000-7000-8000-000000000000"

Path = tuple[str | int, ...]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, with an example of its body where it has one."""

    name: str
    method: str
    path: str
    body: Any
    parameters: tuple[str, ...]
    headers: tuple[str, ...]

    def filled(self, text: str = NOWHERE) -> str:
        """The path with this in place of every id."""
        return re.sub(r"\{[^}]+\}", lambda _: text, self.path)


async def operations_of(http: httpx.AsyncClient) -> list[Operation]:
    """All there are."""
    document: dict[str, Any] = (await http.get("/schema/openapi.json")).json()
    return [
        _operation(document, method, path, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def strings_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where in a document there are texts: values, members of lists, and names of members."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from strings_in(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from strings_in(inner, (*path, place))


def with_text(value: Any, path: Path, text: str) -> Any:
    """The document with this text at that place."""
    changed = copy.deepcopy(value)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = text
    return changed


def _operation(document: Any, method: str, path: str, told: Any) -> Operation:
    given = [_resolved(document, one) for one in told.get("parameters", [])]
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Operation(
        name=told["operationId"],
        method=method.upper(),
        path=path,
        body=content.get("example"),
        parameters=tuple(one["name"] for one in given if one["in"] == "query"),
        headers=tuple(one["name"] for one in given if one["in"] == "header"),
    )


def _resolved(document: Any, parameter: Any) -> Any:
    if "$ref" not in parameter:
        return parameter
    name = parameter["$ref"].rpartition("/")[2]
    return document["components"]["parameters"][name]
