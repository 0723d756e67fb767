"""What clients send, and the answers tests insist on."""

from typing import Any

import httpx

PROBLEM = "application/problem+json"


def draft(**fields: Any) -> dict[str, Any]:
    """The least that makes an item, and whatever else is given."""
    return {"title": "A title", "body": "A body", **fields}


async def created(http: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """An item that was just made, as the answer showed it."""
    answer = await http.post("/api/content", json=draft(**fields))
    assert answer.status_code == 201, answer.text
    item: dict[str, Any] = answer.json()
    return item


async def new_space(http: httpx.AsyncClient) -> str:
    """The id of a campaign space that was just made."""
    wish = {"campaign_name": "A campaign", "platform": "meta"}
    answer = await http.post("/api/campaign-spaces", json=wish)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def listed(http: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    """A page of a list."""
    answer = await http.get("/api/content", params=params)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def titles(http: httpx.AsyncClient, **params: Any) -> list[str]:
    """The titles on a page of a list, in order."""
    return [item["title"] for item in (await listed(http, **params))["data"]]


async def quota(http: httpx.AsyncClient) -> dict[str, Any]:
    """How the caller's tenant stands with its plan."""
    answer = await http.get("/api/content/quota")
    assert answer.status_code == 200, answer.text
    standing: dict[str, Any] = answer.json()
    return standing


async def holds_nothing(http: httpx.AsyncClient) -> bool:
    """Whether the caller's tenant has neither an item nor a byte."""
    usage = (await quota(http))["usage"]
    total = (await listed(http))["pagination"]["total"]
    return (total, usage["total_content_items"], usage["total_storage_bytes"]) == (0, 0, 0)


def problem_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of a refusal (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert {"type", "title", "status", "detail"} <= problem.keys()
    return problem


def fields_of(answer: httpx.Response) -> set[str]:
    """The fields that a 422 names."""
    return {error["field"] for error in problem_of(answer, 422)["errors"]}
