"""What clients of tus send, one request at a time."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}
UPLOADS = "/api/media/uploads"


def metadata(**pairs: str) -> dict[str, str]:
    """`Upload-Metadata` with these pairs."""
    told = (f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    return {"Upload-Metadata": ",".join(told)}


async def begun(http: httpx.AsyncClient, length: int, **pairs: str) -> str:
    """The id of an upload of this length that was just begun."""
    headers = TUS | {"Upload-Length": str(length)} | metadata(**pairs)
    answer = await http.post(UPLOADS, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"].rpartition("/")[2])


async def appended(
    http: httpx.AsyncClient,
    upload_id: str,
    data: bytes | AsyncIterator[bytes],
    *,
    at: int,
    **headers: str,
) -> httpx.Response:
    """Send bytes from an offset on."""
    said = BYTES | {"Upload-Offset": str(at)} | headers
    return await http.patch(f"{UPLOADS}/{upload_id}", content=data, headers=said)


async def stored(http: httpx.AsyncClient, upload_id: str) -> int:
    """How much of an upload is stored."""
    answer = await http.head(f"{UPLOADS}/{upload_id}", headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


async def outcome_of(http: httpx.AsyncClient, upload_id: str) -> dict[str, Any]:
    """What became of an upload."""
    seen: dict[str, Any] = (await http.get(f"{UPLOADS}/{upload_id}")).json()
    return seen
