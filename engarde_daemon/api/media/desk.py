"""What is done for a caller who comes with a media file, or for one.

A file is streamed on as it comes, and its books are kept by actors: nothing here holds more of it
than a piece. Another tenant's file, or another brand's, is as good as not there.
"""

import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

import msgspec
from litestar import Response
from litestar.response import Stream

from actors.custodian.intake import Delivery, Intake
from actors.custodian.messages import CustodianMessage, DeleteMedia
from engarde_daemon.api.calls import Call, idempotency_of
from engarde_daemon.api.content.schemas import Deleted, Id, is_id
from engarde_daemon.api.fence import Fence, require_role
from engarde_daemon.api.media.form import Form
from engarde_daemon.api.media.ranges import wanted_span
from engarde_daemon.api.media.schemas import MediaView, view_of
from engarde_daemon.api.paging import Mark, Page, PageSize, page_of
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import FieldError, Invalid, KeyReused, NotFound
from engarde_daemon.domain.media import FileGone, MediaFile, disposition_of, thumbnail_path
from engarde_daemon.ports.content import ContentKey, ContentLibrary, Place
from engarde_daemon.ports.media import MediaLibrary, MediaStore, Span

NO_MEDIA = "There is no such media file."
THUMBNAIL_TYPE = "image/webp"

# A file is shown, never run: not as another type than it has, and not as a page of this origin.
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=86400, immutable",
}


class MediaQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list of media files."""

    brand_id: Id | None = None
    cursor: Mark | None = None
    page_size: PageSize = msgspec.field(default=20, name="pageSize")


class MediaDesk:
    """Serves the media routes."""

    def __init__(
        self,
        *,
        intake: Intake,
        custodian: Address[CustodianMessage],
        library: MediaLibrary,
        content: ContentLibrary,
        store: MediaStore,
        fence: Fence,
        new_id: Callable[[], str],
        timeout_s: float,
        signed_url_s: float,
    ) -> None:
        self._intake = intake
        self._custodian = custodian
        self._library = library
        self._content = content
        self._store = store
        self._fence = fence
        self._new_id = new_id
        self._timeout_s = timeout_s
        self._signed_url_s = signed_url_s

    async def upload(self, call: Call, form: Form) -> Response[bytes]:
        """Keep the file of a form, or answer as before to a request that comes again.

        Raises:
            KeyReused: The same key kept another file.
        """
        media_id = self._id_for(call)
        chunks = await form.open()
        taken = await self._intake.take_in(await self._delivery(call, form, media_id), chunks)
        file = await self._file(call.principal, media_id)
        if file.sha256 != taken.sha256:
            raise KeyReused
        headers = {"Location": f"/api/media/{media_id}"}
        if not taken.is_new:
            headers["Idempotent-Replayed"] = "true"
        return Response(
            msgspec.json.encode(view_of(file)),
            status_code=201,
            media_type="application/json",
            headers=headers,
        )

    async def read(self, principal: Principal, media_id: str) -> MediaView:
        """One file, without its bytes."""
        return view_of(await self._file(principal, media_id))

    async def page(self, principal: Principal, query: MediaQuery) -> Page[MediaView]:
        """A page of the files of the caller's brands, the newest first."""
        brand_ids = None if principal.brands is None else list(principal.brands)
        if query.brand_id is not None:
            brand_ids = [await self._fence.brand(principal, query.brand_id, Role.VIEWER)]
        found = await self._library.page(
            principal.tenant_id,
            brand_ids,
            after=query.cursor.place if query.cursor else None,
            size=query.page_size + 1,
        )
        return page_of([view_of(file) for file in found], _place_of, size=query.page_size)

    async def file(self, call: Call, media_id: str) -> Response[bytes] | Stream:
        """The bytes of a file, or some of them.

        Raises:
            FileGone: Its examination found that it cannot be kept.
            RangeNotSatisfiable: It has no such bytes.
            Unavailable: The media store does not answer.
        """
        file = await self._file(call.principal, media_id)
        if not file.is_kept:
            raise FileGone(file.failure or "")
        tag = f'"{file.sha256}"'
        headers = {"ETag": tag, **_HARMLESS, "Accept-Ranges": "bytes"}
        if tag in call.headers.get("if-none-match", ""):
            return Response(b"", status_code=304, headers=headers)
        elsewhere = await self._redirected(file)
        if elsewhere is not None:
            return elsewhere
        wanted = call.headers.get("range") if _range_counts(call.headers, tag) else None
        span = wanted_span(wanted, file.file_size_bytes)
        whole = Span(0, file.file_size_bytes)
        if span is not None:
            headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{whole.end}"
        headers["Content-Disposition"] = disposition_of(file.file_type, file.file_name)
        return await self._stream(
            file.storage_path,
            span or whole,
            media_type=file.mime_type,
            headers=headers,
            status=200 if span is None else 206,
        )

    async def thumbnail(self, principal: Principal, media_id: str) -> Stream:
        """A small picture of a file.

        Raises:
            NotFound: It has none, or none yet.
        """
        file = await self._file(principal, media_id)
        if file.media_metadata.thumbnail_url is None:
            raise NotFound("This media file has no thumbnail, or none yet.")
        pieces = self._store.get(thumbnail_path(file.storage_path))
        return await _streamed(pieces, media_type=THUMBNAIL_TYPE, headers=dict(_HARMLESS))

    async def delete(self, principal: Principal, media_id: str) -> Deleted:
        """Forget a file and give its room back."""
        file = await self._file(principal, media_id, Role.EDITOR)
        request = DeleteMedia(tenant_id=principal.tenant_id, media_id=file.id)
        if not await self._custodian.ask(request, timeout_s=self._timeout_s):
            raise NotFound(NO_MEDIA)
        return Deleted(message="Media deleted", id=file.id, deleted_at=datetime.now(UTC))

    async def _redirected(self, file: MediaFile) -> Response[bytes] | None:
        """Where to get a file without passing through the daemon, if that is wished and can be."""
        if not self._signed_url_s:
            return None
        url = await self._store.signed_url(file.storage_path, for_s=self._signed_url_s)
        if url is None:
            return None
        headers = {"Location": url, "Cache-Control": "private, no-store"}
        return Response(b"", status_code=307, headers=headers)

    async def _stream(
        self, path: str, span: Span, *, media_type: str, headers: dict[str, str], status: int
    ) -> Stream:
        headers["Content-Length"] = str(span.end - span.start)
        pieces = self._store.get(path, span)
        return await _streamed(pieces, media_type=media_type, headers=headers, status=status)

    async def _delivery(self, call: Call, form: Form, media_id: str) -> Delivery:
        principal = call.principal
        brand_id = await self._fence.brand(
            principal, form.fields.get("brand_id") or call.headers.get("x-brand-id"), Role.EDITOR
        )
        content_id = form.fields.get("content_id") or None
        if content_id is not None:
            await require_content(self._content, principal, content_id)
        return Delivery(
            media_id=media_id,
            tenant_id=principal.tenant_id,
            brand_id=brand_id,
            user_id=principal.user_id,
            content_id=content_id,
            file_name=form.file_name,
            claimed_type=form.claimed_type,
        )

    async def _file(
        self, principal: Principal, media_id: str, required: Role = Role.VIEWER
    ) -> MediaFile:
        found = {}
        if is_id(media_id):
            found = await self._library.find(principal.tenant_id, [media_id])
        file = found.get(media_id)
        if file is None:
            raise NotFound(NO_MEDIA)
        require_role(principal, file.brand_id, required, missing=NO_MEDIA)
        return file

    def _id_for(self, call: Call) -> str:
        """An id that is computed where the caller promised to repeat itself only (ADR 0003)."""
        promise = idempotency_of(call, "")
        if promise is None:
            return self._new_id()
        said = f"urn:engarde:media:{call.principal.tenant_id}:{promise.principal_id}:{promise.key}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, said))


async def require_content(library: ContentLibrary, principal: Principal, content_id: str) -> None:
    """Let pass a content that a file of the caller may be for.

    Raises:
        Invalid: It is none of the caller's.
    """
    found = None
    if is_id(content_id):
        found = await library.find(ContentKey(principal.tenant_id, content_id))
    if found is None or principal.role_in(found.item.brand_id) is None:
        raise Invalid([FieldError("content_id", "is no content of yours")])


async def _streamed(
    pieces: AsyncIterator[bytes], *, media_type: str, headers: dict[str, str], status: int = 200
) -> Stream:
    """A stream whose first piece is there already, so that a store that is away is a 503."""
    first = await anext(pieces, b"")
    return Stream(
        _chained(first, pieces), media_type=media_type, headers=headers, status_code=status
    )


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _range_counts(headers: Mapping[str, str], tag: str) -> bool:
    """Whether the file is still the one that a range was asked of (RFC 9110, section 13.1.5)."""
    return headers.get("if-range", tag) == tag


def _place_of(view: MediaView) -> Place:
    return Place(view.created_at, view.id)
