"""What is done for a caller who comes with a content request.

Writes are asked of the ingest actor, reads of the library and the bodies. Every question carries
the caller's tenant, which comes from the proved key and from nowhere else.
"""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET

from actors.ingest.messages import (
    CreateContent,
    DeleteContent,
    IngestMessage,
    UpdateContent,
    Written,
)
from engarde_daemon.api.calls import Call, expected_version, idempotency_of, unchanged
from engarde_daemon.api.content.answers import answer_with, unchanged_since
from engarde_daemon.api.content.highlights import Highlighter
from engarde_daemon.api.content.listing import ListQuery, page_of
from engarde_daemon.api.content.schemas import (
    ContentCreate,
    ContentPatch,
    ContentSummary,
    Deleted,
    StoredId,
    is_id,
    summary_of,
    view_of,
)
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.media.schemas import MediaObject, object_of
from engarde_daemon.api.routing import Ready
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.changes import Idempotency
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import FieldError, Invalid, NotFound
from engarde_daemon.ports.content import Bodies, ContentKey, ContentLibrary, Listed, Replayed
from engarde_daemon.ports.likeness import LikenessIndex
from engarde_daemon.ports.media import MediaLibrary

ALIKE_MAX = 200
"""How many contents a search by meaning finds at most, before filters."""

_JSON = msgspec.json.Encoder()
_NOT_BY_MEANING = "'semantic' is not switched on here: its operator can set [search] semantic"


class ContentDesk:
    """Serves the content routes."""

    def __init__(
        self,
        ingest: Address[IngestMessage],
        library: ContentLibrary,
        bodies: Bodies,
        *,
        fence: Fence,
        highlighter: Highlighter,
        likeness: LikenessIndex | None,
        media: MediaLibrary,
        write_timeout_s: float,
    ) -> None:
        self._ingest = ingest
        self._library = library
        self._bodies = bodies
        self._fence = fence
        self._highlighter = highlighter
        self._likeness = likeness
        self._media = media
        self._timeout_s = write_timeout_s

    async def create(self, call: Call, wish: ContentCreate, raw: bytes) -> Ready:
        """Make an item, or answer as before to a request that comes again."""
        brand_id = await self._fence.brand(
            call.principal, wish.brand_id or call.headers.get("x-brand-id"), Role.EDITOR
        )
        await self._fence.require_space(call.principal, wish.campaign_space_id)
        await self._fence.require_media(call.principal, wish.media)
        made = await self._ingest.ask(
            CreateContent(
                tenant_id=call.principal.tenant_id,
                brand_id=brand_id,
                user_id=call.principal.user_id,
                draft=wish.draft(),
                idempotency=_promise(call, brand_id, raw),
            ),
            timeout_s=self._timeout_s,
        )
        if isinstance(made, Replayed):
            return await self._replay(call.principal, made)
        return answer_with(view_of(made.item, wish.body), made.item, status=201)

    async def read(self, call: Call, content_id: str) -> Ready:
        """One item with its body, its history and where the body came from."""
        found = await self._library.find(_key(call.principal, content_id))
        if found is None:
            raise NotFound("There is no such content.")
        if unchanged(call.headers, found.item.version):
            return unchanged_since(found.item)
        body, place = found.body, "staged"
        if body is None:
            body, place = await self._bodies.of_delivered(found.item)
        view = view_of(
            found.item,
            body,
            backed_up=found.backed_up,
            backed_up_at=found.backed_up_at,
            versions=found.versions,
            media=await self._media_of(call.principal, found.item),
        )
        return answer_with(view, found.item, served_from=place)

    async def _media_of(self, principal: Principal, item: Item) -> list[MediaObject | StoredId]:
        """The files of an item; one that is not there, or not the caller's, is its id alone."""
        media_ids = item.details.media
        found = await self._media.find(item.tenant_id, media_ids) if media_ids else {}
        shown = {
            file.id: object_of(file)
            for file in found.values()
            if principal.role_in(file.brand_id) is not None
        }
        return [shown.get(media_id) or StoredId(media_id) for media_id in media_ids]

    async def page(self, call: Call, query: ListQuery) -> bytes:
        """A page of the caller's brand."""
        query.check()
        brand_id = await self._fence.brand(
            call.principal, query.brand_id or call.headers.get("x-brand-id"), Role.VIEWER
        )
        listed = await self._list(call.principal.tenant_id, brand_id, query)
        summaries = await self._summaries(query, listed.items[: query.page_size])
        return _JSON.encode(page_of(query, listed, summaries))

    async def _list(self, tenant_id: str, brand_id: str, query: ListQuery) -> Listed:
        if query.is_by_meaning:
            return await self._list_alike(tenant_id, brand_id, query)
        return await self._library.list_items(
            tenant_id,
            brand_id,
            filters=query.filters(),
            after=query.place,
            size=query.page_size + 1,
            skip=query.skip,
            sort=query.order,
            trashed=query.trashed,
        )

    async def _list_alike(self, tenant_id: str, brand_id: str, query: ListQuery) -> Listed:
        if self._likeness is None:
            raise Invalid([FieldError("search_mode", _NOT_BY_MEANING)])
        return await self._library.list_alike(
            tenant_id,
            brand_id,
            alike=await self._likeness.nearest(
                tenant_id, brand_id, query.search or "", most=ALIKE_MAX
            ),
            filters=query.filters(),
            after=query.place,
            size=query.page_size + 1,
            skip=query.skip,
        )

    async def _summaries(self, query: ListQuery, items: Sequence[Item]) -> list[ContentSummary]:
        bodies: Mapping[str, str] = {}
        highlights: Mapping[str, str] = {}
        if items and query.include == "body":
            bodies = await self._bodies.of_many(items[0].tenant_id, items)
        if items and query.search and not (query.trashed or query.is_by_meaning):
            highlights = await self._highlighter.of(query.search, items)
        return [
            summary_of(item, bodies.get(item.id, UNSET), highlights.get(item.id, UNSET))
            for item in items
        ]

    async def update(self, call: Call, content_id: str, wish: ContentPatch) -> Ready:
        """Change an item and show it as it now stands."""
        await self._fence.require_space(call.principal, wish.campaign_space_id or None)
        await self._fence.require_media(call.principal, wish.media or ())
        written = await self._write(
            UpdateContent(
                tenant_id=call.principal.tenant_id,
                content_id=_key(call.principal, content_id).content_id,
                user_id=call.principal.user_id,
                patch=wish.patch(),
                expected_version=expected_version(call.headers),
            )
        )
        body, place = written.body, "staged"
        if body is None:
            body, place = await self._bodies.of(written.item)
        return answer_with(view_of(written.item, body), written.item, served_from=place)

    async def delete(self, call: Call, content_id: str) -> Deleted:
        """Put an item into the trash."""
        written = await self._write(
            DeleteContent(
                tenant_id=call.principal.tenant_id,
                content_id=_key(call.principal, content_id).content_id,
                user_id=call.principal.user_id,
                expected_version=expected_version(call.headers),
            )
        )
        return Deleted(
            message="Content deleted successfully",
            id=written.item.id,
            deleted_at=written.item.updated_at,
        )

    async def _write(self, request: UpdateContent | DeleteContent) -> Written:
        return await self._ingest.ask(request, timeout_s=self._timeout_s)

    async def _replay(self, principal: Principal, made: Replayed) -> Ready:
        key = ContentKey(principal.tenant_id, made.content_id)
        version = await self._library.find_version(key, made.version)
        if version is None:
            raise NotFound("What this Idempotency-Key made does not exist any more.")
        body, _ = await self._bodies.of(version.item)
        answer = answer_with(view_of(version.item, body), version.item, status=201)
        answer.headers.append((b"idempotent-replayed", b"true"))
        return answer


def _promise(call: Call, brand_id: str, raw: bytes) -> Idempotency | None:
    """What the caller promised of this creation, if anything."""
    if "idempotency-key" not in call.headers:
        return None
    said = hashlib.sha256(b"POST /api/content %b " % brand_id.encode() + raw)
    return idempotency_of(call, said.hexdigest())


def _key(principal: Principal, content_id: str) -> ContentKey:
    if not is_id(content_id):
        raise NotFound("There is no such content.")
    return ContentKey(principal.tenant_id, content_id)
