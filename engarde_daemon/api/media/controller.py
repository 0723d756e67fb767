"""The routes of media files."""

from typing import Any

from litestar import Controller, Request, Response, delete, get, post
from litestar.params import FromPath
from litestar.response import Stream

from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.content.schemas import Deleted
from engarde_daemon.api.contract import BRAND_ID, IDEMPOTENCY_KEY, REPLAYED, Answer, Header, promise
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.api.media.desk import THUMBNAIL_TYPE, MediaDesk, MediaQuery
from engarde_daemon.api.media.form import MEDIA_TYPE, Form
from engarde_daemon.api.media.ranges import RangeNotSatisfiable
from engarde_daemon.api.media.schemas import FileBytes, MediaView, UploadForm
from engarde_daemon.api.paging import Page
from engarde_daemon.api.receiving import body_of
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Conflict, KeyReused, NotFound, QuotaExceeded
from engarde_daemon.domain.media import FileGone, FileTooLarge, TypeRefused, UploadLost

Asked = Request[Principal, Any, Any]

LOCATION = Header(
    name="Location",
    says="Where it can be read.",
    example="/api/media/01a20547-9a10-7d03-9c4e-5b1f0c6a2d11",
    always=True,
)
FILE_TAG = Header(
    name="ETag",
    says="The SHA-256 of the file, for `If-None-Match` and `If-Range`.",
    example='"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"',
    always=True,
)
CONTENT_RANGE = Header(
    name="Content-Range",
    says="Which bytes these are, and of how many.",
    example="bytes 0-99/183204",
    always=True,
)
SIGNED_URL = Header(
    name="Location",
    says="A signed URL of the bucket; only where `[media] signed_url_s` is set.",
    example="https://bucket.s3.amazonaws.com/media/4f1c/01a20547?X-Amz-Signature=5b1f",
    always=True,
)
IF_NONE_MATCH = Header(
    name="If-None-Match",
    says="Answer 304 if this is the file you have.",
    example=FILE_TAG.example,
)
IF_RANGE = Header(
    name="If-Range",
    says="Answer with the range only if the file is this one, else with all of it.",
    example=FILE_TAG.example,
)
RANGE = Header(name="Range", says="The bytes that are wanted: one range.", example="bytes=0-99")


class MediaController(Controller):
    """Upload, list, read, download, delete."""

    path = "/api/media"
    tags = ("media",)
    guards = (reaches(Role.VIEWER),)

    @post(
        operation_id="uploadMedia",
        guards=[reaches(Role.EDITOR)],
        request_max_body_size=None,  # the file is bounded by [media] file_bytes_max
        opt=promise(
            body=UploadForm,
            media_type=MEDIA_TYPE,
            headers=(BRAND_ID, IDEMPOTENCY_KEY),
            answers={
                201: Answer(says="The file.", shape=MediaView, headers=(LOCATION, REPLAYED)),
            },
            errors=(
                NotFound,
                KeyReused,
                TypeRefused,
                FileTooLarge,
                QuotaExceeded,
                UploadLost,
                Conflict,
            ),
            statuses=(400, 408),
        ),
    )
    async def upload(self, request: Asked, media_desk: Given[MediaDesk]) -> Response[bytes]:
        """Keep a file: the part `file` of a form, after its fields."""
        form = Form(request.headers.get("content-type", ""), body_of(request))
        return await media_desk.upload(Call(request.user, request.headers), form)

    @get(operation_id="listMedia", opt=promise(query=MediaQuery, errors=(NotFound,)))
    async def page(self, request: Asked, media_desk: Given[MediaDesk]) -> Page[MediaView]:
        """A page of media files, newest first."""
        query = decode_query(query_of(request.scope["query_string"]), MediaQuery)
        return await media_desk.page(request.user, query)

    @get("/{media_id:str}", operation_id="readMedia")
    async def read(
        self, request: Asked, media_id: FromPath[str], media_desk: Given[MediaDesk]
    ) -> MediaView:
        """One file, without its bytes."""
        return await media_desk.read(request.user, media_id)

    @get(
        "/{media_id:str}/file",
        operation_id="downloadMedia",
        opt=promise(
            headers=(RANGE, IF_RANGE, IF_NONE_MATCH),
            answers={
                200: Answer(
                    says="All of it.", shape=FileBytes, media_type="*/*", headers=(FILE_TAG,)
                ),
                206: Answer(
                    says="The range.",
                    shape=FileBytes,
                    media_type="*/*",
                    headers=(FILE_TAG, CONTENT_RANGE),
                ),
                307: Answer(
                    says="It is to be had there, for a short time.",
                    media_type="",
                    headers=(SIGNED_URL,),
                ),
                304: Answer(says="It is the file you have.", headers=(FILE_TAG,)),
            },
            errors=(FileGone, RangeNotSatisfiable),
        ),
    )
    async def file(
        self, request: Asked, media_id: FromPath[str], media_desk: Given[MediaDesk]
    ) -> Response[bytes] | Stream:
        """The bytes of a file, or the range of them that is asked for."""
        return await media_desk.file(Call(request.user, request.headers), media_id)

    @get(
        "/{media_id:str}/thumbnail",
        operation_id="downloadThumbnail",
        opt=promise(
            answers={
                200: Answer(says="The picture.", shape=FileBytes, media_type=THUMBNAIL_TYPE),
            },
        ),
    )
    async def thumbnail(
        self, request: Asked, media_id: FromPath[str], media_desk: Given[MediaDesk]
    ) -> Stream:
        """A small picture of an image or video."""
        return await media_desk.thumbnail(request.user, media_id)

    @delete(
        "/{media_id:str}",
        operation_id="deleteMedia",
        status_code=200,
        guards=[reaches(Role.EDITOR)],
    )
    async def delete(
        self, request: Asked, media_id: FromPath[str], media_desk: Given[MediaDesk]
    ) -> Deleted:
        """Forget a file."""
        return await media_desk.delete(request.user, media_id)
