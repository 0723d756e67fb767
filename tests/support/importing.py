"""Imports of campaigns, asked for and waited for, and the files that come with them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx

from engarde_daemon.testing.models.serving import serving
from tests.support.patience import PATIENCE_S
from tests.support.pictures import picture

IMPORTS = "/api/import-jobs"
SPACES = "/api/campaign-spaces"


class FileServer:
    """Pictures by their paths, over HTTP: who asks for /7.png gets a picture that is its own.

    `refuse` says with which status a path is refused; nothing is given while `gate` is not set.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuse: Mapping[str, int] = {}
        self.gate = anyio.Event()
        self.gate.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one file."""
        del receive
        path = scope["path"]
        self.asked.append(path)
        await self.gate.wait()
        status = self.refuse.get(path, 200)
        await send({"type": "http.response.start", "status": status, "headers": []})
        body = picture_at(path) if status == 200 else b""
        await send({"type": "http.response.body", "body": body})


def picture_at(path: str) -> bytes:
    """The picture that a path stands for."""
    return picture(size=(8 + sum(path.encode()) % 40, 8 + len(path)), colour=hash_of(path))


def hash_of(path: str) -> int:
    """A colour for a path."""
    return sum(place * byte for place, byte in enumerate(path.encode(), 1)) % 256


@asynccontextmanager
async def files() -> AsyncIterator[tuple[FileServer, str]]:
    """A server of pictures, and where it is."""
    server = FileServer()
    async with serving(server) as url:
        yield server, url


async def new_space(http: httpx.AsyncClient, platform: str = "google_ads", **given: Any) -> str:
    """The id of a campaign space that was made."""
    wish = {"campaign_name": "Summer", "platform": platform, **given}
    answer = await http.post(SPACES, json=wish)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def uploaded(
    http: httpx.AsyncClient, space_id: str, export: str | bytes, **query: Any
) -> dict[str, Any]:
    """The import that an export began."""
    answer = await http.post(f"{SPACES}/{space_id}/import-file", content=export, params=query)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def asked(http: httpx.AsyncClient, space_id: str, platform: str, **wish: Any) -> str:
    """The id of an import from a platform that was accepted."""
    answer = await http.post(
        f"{SPACES}/{space_id}/import-content", json={"platform": platform, **wish}
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["import_job_id"])


async def job_of(http: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """An import as it stands."""
    job: dict[str, Any] = (await http.get(f"{IMPORTS}/{job_id}")).json()
    return job


async def ended(
    http: httpx.AsyncClient, job_id: str, within_s: float = PATIENCE_S
) -> dict[str, Any]:
    """An import, once it has ended."""
    with anyio.fail_after(within_s):
        while True:
            job = await job_of(http, job_id)
            if job["completed_at"]:
                return job
            await anyio.sleep(0.05)


async def items_of(http: httpx.AsyncClient, job_id: str, **query: Any) -> list[dict[str, Any]]:
    """The assets of an import, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = "0"
    while cursor is not None:
        asked_for = {"pageSize": 100, "cursor": cursor, **query}
        page = (await http.get(f"{IMPORTS}/{job_id}/items", params=asked_for)).json()
        found += page["data"]
        cursor = page["pagination"]["nextCursor"]
    return found
