"""How clients read versions, and make them."""

from typing import Any

import httpx


def history_of(item: dict[str, Any]) -> str:
    """Where the versions of an item are."""
    return f"/api/content/{item['id']}/versions"


async def got(http: httpx.AsyncClient, url: str, **params: Any) -> Any:
    """What a read answers."""
    answer = await http.get(url, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def changed(http: httpx.AsyncClient, item: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The item after a change."""
    answer = await http.patch(f"/api/content/{item['id']}", json=fields)
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after
