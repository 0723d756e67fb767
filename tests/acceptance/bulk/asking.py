"""What clients of the bulk routes send, and what they insist on."""

from typing import Any

import httpx

from tests.acceptance.content import draft

BULK = "/api/content/bulk"


def drafts(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Items that differ in their titles and bodies."""
    return [draft(title=f"item {n}", body=f"body {n}", **fields) for n in range(count)]


async def create_many(
    http: httpx.AsyncClient, items: list[Any], key: str | None = None, **fields: Any
) -> httpx.Response:
    """Ask for many items."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await http.post(BULK, json={"items": items, **fields}, headers=headers)


async def made(http: httpx.AsyncClient, count: int, **fields: Any) -> list[str]:
    """The ids of items that were just made."""
    answer = await create_many(http, drafts(count, **fields))
    assert answer.status_code == 201, answer.text
    return [item["id"] for item in answer.json()["data"]]


async def told(
    http: httpx.AsyncClient, verb: str, expecting: int = 200, **wish: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What a bulk change answers: the items as they now stand, and the errors."""
    answer = await http.post(f"{BULK}/{verb}", json=wish)
    assert answer.status_code == expecting, answer.text
    body = answer.json()
    return body["data"], body["errors"]
