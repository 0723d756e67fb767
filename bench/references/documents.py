"""The naive flow's client of the document store: one call, one document."""

from typing import Any

import httpx
import msgspec

from bench.references.http import Refused


class Documents:
    """Inserts, reads and changes documents, one HTTP call each."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def insert_record(self, collection: str, record: dict[str, Any]) -> str:
        """Store one document and answer its id."""
        content = msgspec.json.encode(record)
        answer = await self._client.post(f"/{collection}/{record['id']}", content=content)
        answer.raise_for_status()
        return str(msgspec.json.decode(answer.content)["id"])

    async def get_record(self, collection: str, record_id: str) -> dict[str, Any]:
        """Read one document."""
        answer = await self._client.get(f"/{collection}/{record_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Refused(404)
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=dict[str, Any])

    async def update_record(self, collection: str, record_id: str, change: dict[str, Any]) -> None:
        """Merge a change into one document."""
        content = msgspec.json.encode(change)
        answer = await self._client.patch(f"/{collection}/{record_id}", content=content)
        answer.raise_for_status()

    async def versions_of(self, content_id: str) -> list[dict[str, Any]]:
        """Read the history of one item."""
        answer = await self._client.get("/content_versions", params={"content_id": content_id})
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=list[dict[str, Any]])
