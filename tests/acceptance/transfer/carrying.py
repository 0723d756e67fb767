"""Exports read and imports sent, as tests do both."""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

import httpx

from tests.acceptance.bulk.asking import create_many
from tests.acceptance.content import draft

EXPORT, IMPORT = "/api/content/export", "/api/content/import"
CHUNK = 10_000


async def fill(http: httpx.AsyncClient, count: int, **fields: Any) -> list[dict[str, Any]]:
    """Make items of many shapes, in bulk."""
    made: list[dict[str, Any]] = []
    for start in range(0, count, 500):
        items = [_shape(n) | fields for n in range(start, min(count, start + 500))]
        answer = await create_many(http, items)
        assert answer.status_code == 201, answer.text
        made += answer.json()["data"]
    return made


def _shape(number: int) -> dict[str, Any]:
    scheduled = {"status": "scheduled", "scheduled_at": "2040-01-01T10:00:00Z"}
    return {
        "title": f"item {number}",
        "body": f"body {number} ü🎈\n\\u0000 " + "word " * (number % 97 * 3),
        "type": ("post", "ad", "reel")[number % 3],
        "tags": ["all", f"t{number % 7}"],
        "hashtags": ["#h"],
        "metadata": {"number": number, "nested": {"list": [1, None, "x"]}},
        **(scheduled if number % 5 == 0 else {"status": ("draft", "published")[number % 2]}),
    }


async def exported(http: httpx.AsyncClient, **params: Any) -> tuple[list[dict[str, Any]], bytes]:
    """The items of an export, whose last line was checked, and its bytes."""
    answer = await http.get(EXPORT, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    *lines, last = answer.content.splitlines(keepends=True)
    assert json.loads(last) == {
        "complete": True,
        "items": len(lines),
        "sha256": hashlib.sha256(b"".join(lines)).hexdigest(),
    }
    return [json.loads(line) for line in lines], answer.content


async def imported(http: httpx.AsyncClient, content: bytes, **params: Any) -> dict[str, Any]:
    """What an import answers."""
    answer = await http.post(IMPORT, content=content, params=params)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def counts(told: dict[str, Any]) -> tuple[int, int, int]:
    """How many items were imported, unchanged and failed."""
    return told["imported"], told["unchanged"], told["failed"]


def line(**fields: Any) -> bytes:
    """One line of an import."""
    return json.dumps({"id": "1", **draft(), **fields}).encode() + b"\n"


def lasting(items: Iterable[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """What an item keeps when it moves to another store, by title."""
    kept = (
        "body", "sha256", "size_bytes", "type", "status", "tags", "hashtags", "metadata",
        "scheduled_at", "published_at", "created_at",
    )  # fmt: skip
    return {item["title"]: tuple(item[name] for name in kept) for item in items}


class CutOff(Exception):
    """The sender went away in the middle."""


async def cut_off(
    http: httpx.AsyncClient, content: bytes, after: Callable[[], Awaitable[object]]
) -> None:
    """Send the first part of an import, and break the connection once `after` has come."""

    async def broken() -> AsyncIterator[bytes]:
        for start in range(0, len(content), CHUNK):
            yield content[start : start + CHUNK]
        await after()
        raise CutOff

    with suppress(CutOff):
        await http.post(IMPORT, content=broken())
