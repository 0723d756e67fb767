"""The routes of uploads that can be resumed: tus 1.0, for whose clients they are."""

from typing import Annotated, Any

from litestar import Controller, MediaType, Request, Response, delete, get, head, patch, post
from litestar.params import FromPath
from msgspec import Meta

from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call
from engarde_daemon.api.contract import BRAND_ID, Answer, Header, promise
from engarde_daemon.api.giving import Given
from engarde_daemon.api.media.resuming import ResumingDesk, UploadView
from engarde_daemon.api.media.schemas import FileBytes
from engarde_daemon.api.media.tus import BYTES_TYPE, VERSION, VersionNotSpoken, speaks_tus
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Conflict, Exhausted, Invalid, NotFound, QuotaExceeded
from engarde_daemon.domain.media import FileGone, FileTooLarge, TypeRefused, UploadLost
from engarde_daemon.domain.resuming import (
    ChecksumMismatch,
    MoreThanAnnounced,
    OffsetMismatch,
    UploadTaken,
)

Asked = Request[Principal, Any, Any]

_NUMBER = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,17})$")]
SPEAKS = Header(
    name="Tus-Resumable",
    says="The version of tus; without it a request is answered with 412.",
    example=VERSION,
    shape=Annotated[str, Meta(pattern=r"^1\.0\.0$")],
    always=True,
)
LENGTH = Header(
    name="Upload-Length",
    says="How many bytes the file holds.",
    example="183204",
    shape=_NUMBER,
    always=True,
)
OFFSET = Header(
    name="Upload-Offset",
    says="How many bytes are stored: the place from which to go on.",
    example="8388608",
    shape=_NUMBER,
    always=True,
)
METADATA = Header(
    name="Upload-Metadata",
    says="Pairs of a name and its value in Base64: `filename`, `filetype`, `brand_id`, `content_id`.",
    example="filename c3ByaW5nLmpwZw==,filetype aW1hZ2UvanBlZw==",
)
CHECKSUM = Header(
    name="Upload-Checksum",
    says="What the bytes of this request must add up to: `md5`, `sha1` or `sha256`, and the value in Base64.",
    example="sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=",
)
EXPIRES = Header(
    name="Upload-Expires",
    says="Until when the upload waits for its next byte.",
    example="Tue, 03 Mar 2026 09:30:00 GMT",
)
LOCATION = Header(
    name="Location",
    says="Where to go on.",
    example="/api/media/uploads/01a20547-9a10-7d03-9c4e-5b1f0c6a2d11",
    always=True,
)
_TAKING = (
    NotFound,
    Invalid,
    VersionNotSpoken,
    TypeRefused,
    FileTooLarge,
    MoreThanAnnounced,
    ChecksumMismatch,
    QuotaExceeded,
    Exhausted,
    UploadLost,
    Conflict,
)


class UploadsController(Controller):
    """Begin, go on, ask how far it is, end."""

    path = "/api/media/uploads"
    tags = ("media",)
    guards = (reaches(Role.EDITOR),)
    middleware = (speaks_tus,)

    @post(
        operation_id="beginUpload",
        request_max_body_size=None,  # bounded by Upload-Length, and that by [media] file_bytes_max
        opt=promise(
            body=FileBytes,
            needs_body=False,
            media_type=BYTES_TYPE,
            headers=(SPEAKS, LENGTH, METADATA, CHECKSUM, BRAND_ID),
            answers={
                201: Answer(
                    says="It can be sent to.", media_type="", headers=(LOCATION, OFFSET, EXPIRES)
                )
            },
            errors=_TAKING,
            statuses=(400, 408),
        ),
    )
    async def begin(self, request: Asked, resuming_desk: Given[ResumingDesk]) -> Response[bytes]:
        """Begin to send a file bit by bit, with its first bytes if you like."""
        return await resuming_desk.open(request)

    @head(
        "/{upload_id:str}",
        operation_id="measureUpload",
        opt=promise(
            headers=(SPEAKS,),
            answers={
                200: Answer(says="How far it is.", media_type="", headers=(OFFSET, LENGTH, EXPIRES))
            },
            errors=(VersionNotSpoken, FileGone),
        ),
    )
    async def measure(
        self, request: Asked, upload_id: FromPath[str], resuming_desk: Given[ResumingDesk]
    ) -> Response[None]:
        """How many bytes of an upload are stored."""
        call = Call(request.user, request.headers)
        told = await resuming_desk.progress(call, upload_id)
        return Response(None, media_type=MediaType.TEXT, headers=told)

    @patch(
        "/{upload_id:str}",
        operation_id="continueUpload",
        request_max_body_size=None,  # see `begin`
        opt=promise(
            body=FileBytes,
            media_type=BYTES_TYPE,
            headers=(SPEAKS, OFFSET, CHECKSUM),
            answers={
                204: Answer(says="It is stored.", media_type="", headers=(OFFSET, EXPIRES)),
            },
            errors=(*_TAKING, OffsetMismatch, UploadTaken, FileGone),
            statuses=(400, 408),
        ),
    )
    async def go_on(
        self, request: Asked, upload_id: FromPath[str], resuming_desk: Given[ResumingDesk]
    ) -> Response[bytes]:
        """Send more bytes. With the last of them the upload becomes a media file of the same id."""
        return await resuming_desk.append(request, upload_id)

    @get("/{upload_id:str}", operation_id="readUpload")
    async def read(
        self, request: Asked, upload_id: FromPath[str], resuming_desk: Given[ResumingDesk]
    ) -> UploadView:
        """How far an upload is, and what became of it."""
        return await resuming_desk.read(request.user, upload_id)

    @delete(
        "/{upload_id:str}",
        operation_id="endUpload",
        opt=promise(headers=(SPEAKS,), errors=(VersionNotSpoken,)),
    )
    async def end(
        self, request: Asked, upload_id: FromPath[str], resuming_desk: Given[ResumingDesk]
    ) -> None:
        """Forget an upload that is under way, and give its room back."""
        await resuming_desk.end(Call(request.user, request.headers), upload_id)
