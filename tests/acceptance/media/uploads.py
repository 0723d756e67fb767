"""What clients send to keep a file, and how they wait for it."""

from typing import Any

import anyio
import httpx

from tests.support.patience import PATIENCE_S
from tests.support.pictures import picture

_LOOK_S = 0.05


async def send(
    http: httpx.AsyncClient,
    data: bytes | None = None,
    *,
    name: str = "sun.png",
    type_: str = "image/png",
    key: str | None = None,
    **fields: str,
) -> httpx.Response:
    """Upload a file, as a browser's form does."""
    return await http.post(
        "/api/media",
        files={"file": (name, picture() if data is None else data, type_)},
        data=fields,
        headers={"Idempotency-Key": key} if key else {},
    )


async def uploaded(
    http: httpx.AsyncClient, data: bytes | None = None, **how: Any
) -> dict[str, Any]:
    """A file that was just taken in, as the answer showed it."""
    answer = await send(http, data, **how)
    assert answer.status_code == 201, answer.text
    file: dict[str, Any] = answer.json()
    return file


async def examined(http: httpx.AsyncClient, media_id: str) -> dict[str, Any]:
    """A file once it was looked into."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            file: dict[str, Any] = (await http.get(f"/api/media/{media_id}")).json()
            if file["processing_status"] in {"ready", "failed"}:
                return file
            await anyio.sleep(_LOOK_S)


async def media_usage(http: httpx.AsyncClient) -> tuple[int, int, int]:
    """Files, bytes and reserved bytes of the caller's tenant."""
    usage = (await http.get("/api/content/quota")).json()["usage"]
    return usage["total_media_files"], usage["total_storage_bytes"], usage["reserved_bytes"]
