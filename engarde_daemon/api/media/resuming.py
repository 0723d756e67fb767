"""What is done for a caller who sends a media file bit by bit.

Another tenant's upload, or another brand's, is as good as not there.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from actors.custodian.appending import Batch
from actors.custodian.resumption import NO_UPLOAD, Resumption
from engarde_daemon.api.calls import Call
from engarde_daemon.api.content.schemas import is_id
from engarde_daemon.api.fence import Fence, require_role
from engarde_daemon.api.media.desk import require_content
from engarde_daemon.api.media.schemas import FormId
from engarde_daemon.api.media.tus import (
    checksum_in,
    metadata_in,
    number_in,
    progress,
    require_version,
)
from engarde_daemon.api.receiving import body_of
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import FieldError, Invalid, NotFound
from engarde_daemon.domain.media import FileGone, file_name_of, storage_path_of
from engarde_daemon.domain.resuming import MoreThanAnnounced
from engarde_daemon.ports.content import ContentLibrary
from engarde_daemon.ports.resuming import ResumableUpload, UploadKey

CLAIM_CHARACTERS_MAX = 100


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload is; once its `outcome` is `kept`, there is a media file of the same id."""

    id: str
    brand_id: str
    content_id: str | None
    file_name: str
    length_bytes: int
    offset_bytes: int
    outcome: str | None
    failure: str | None
    expires_at: datetime | None


class Arriving:
    """The body of a request up to where it breaks off, if it does."""

    def __init__(self, request: Request[Principal, Any, Any]) -> None:
        self.broken: HTTPException | None = None
        self._request = request

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes that came."""
        try:
            async for chunk in body_of(self._request):
                yield chunk
        except HTTPException as broken:
            self.broken = broken


class ResumingDesk:
    """Serves the routes of resumable uploads."""

    def __init__(
        self,
        *,
        resumption: Resumption,
        content: ContentLibrary,
        fence: Fence,
        new_id: Callable[[], str],
    ) -> None:
        self._resumption = resumption
        self._content = content
        self._fence = fence
        self._new_id = new_id

    async def open(self, request: Request[Principal, Any, Any]) -> Response[bytes]:
        """Begin an upload, with its first bytes if there are any in the request."""
        call = Call(request.user, request.headers)
        require_version(call.headers)
        upload = await self._announced(call)
        await self._resumption.open(upload)
        if call.headers.get("content-type") is not None:
            await self._take(request, upload, from_byte=0)
        found = await self._resumption.find(UploadKey(upload.tenant_id, upload.id))
        location = {"Location": f"/api/media/uploads/{upload.id}"}
        return Response(b"", status_code=201, headers=progress(found) | location)

    async def append(
        self, request: Request[Principal, Any, Any], upload_id: str
    ) -> Response[bytes]:
        """Store what comes from the offset on that the request names."""
        require_version(request.headers)
        upload = await self._upload(request.user, upload_id)
        await self._take(request, upload, from_byte=number_in(request.headers, "Upload-Offset"))
        found = await self._resumption.find(UploadKey(upload.tenant_id, upload.id))
        return Response(b"", status_code=204, headers=progress(found))

    async def progress(self, call: Call, upload_id: str) -> dict[str, str]:
        """How far an upload is, as headers.

        Raises:
            FileGone: It is whole, and its file was refused.
        """
        require_version(call.headers)
        upload = await self._upload(call.principal, upload_id)
        if upload.failure is not None:
            raise FileGone(upload.failure)
        told = {"Upload-Length": str(upload.length_bytes), "Cache-Control": "no-store"}
        return progress(upload) | told

    async def read(self, principal: Principal, upload_id: str) -> UploadView:
        """How far an upload is, and what became of it."""
        upload = await self._upload(principal, upload_id)
        return UploadView(
            id=upload.id,
            brand_id=upload.brand_id,
            content_id=upload.content_id,
            file_name=file_name_of(upload.file_name),
            length_bytes=upload.length_bytes,
            offset_bytes=upload.offset_bytes,
            outcome=upload.outcome,
            failure=upload.failure,
            expires_at=upload.expires_at if upload.outcome is None else None,
        )

    async def end(self, call: Call, upload_id: str) -> None:
        """Forget an upload that is under way."""
        require_version(call.headers)
        upload = await self._upload(call.principal, upload_id)
        await self._resumption.end(UploadKey(upload.tenant_id, upload.id))

    async def _take(
        self, request: Request[Principal, Any, Any], upload: ResumableUpload, *, from_byte: int
    ) -> None:
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and from_byte + int(announced) > upload.length_bytes:
            raise MoreThanAnnounced(upload.length_bytes)
        arriving = Arriving(request)
        batch = Batch(
            from_byte=from_byte,
            chunks=arriving.chunks(),
            checksum=checksum_in(request.headers),
        )
        await self._resumption.append(upload, batch)
        if arriving.broken is not None:
            raise arriving.broken

    async def _announced(self, call: Call) -> ResumableUpload:
        principal, said = call.principal, metadata_in(call.headers)
        length = number_in(call.headers, "Upload-Length")
        if length == 0:
            raise Invalid([FieldError("Upload-Length", "must not be 0: the file is empty")])
        brand_id = await self._fence.brand(
            principal, _id_in(said, "brand_id") or call.headers.get("x-brand-id"), Role.EDITOR
        )
        content_id = _id_in(said, "content_id")
        if content_id is not None:
            await require_content(self._content, principal, content_id)
        upload_id = self._new_id()
        return ResumableUpload(
            id=upload_id,
            tenant_id=principal.tenant_id,
            brand_id=brand_id,
            user_id=principal.user_id,
            content_id=content_id,
            file_name=file_name_of(said.get("filename") or said.get("name")),
            claimed_type=(said.get("filetype") or "")[:CLAIM_CHARACTERS_MAX] or None,
            storage_path=storage_path_of(principal.tenant_id, upload_id),
            length_bytes=length,
        )

    async def _upload(self, principal: Principal, upload_id: str) -> ResumableUpload:
        if not is_id(upload_id):
            raise NotFound(NO_UPLOAD)
        upload = await self._resumption.find(UploadKey(principal.tenant_id, upload_id))
        require_role(principal, upload.brand_id, Role.EDITOR, missing=NO_UPLOAD)
        return upload


def _id_in(said: Mapping[str, str], name: str) -> str | None:
    try:
        return msgspec.convert(said.get(name, ""), FormId) or None
    except msgspec.ValidationError as error:
        raise Invalid([FieldError(name, str(error))]) from error
