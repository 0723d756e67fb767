"""The routes of media files."""

from typing import Any

from litestar import Controller, Request, Response, delete, get, post
from litestar.params import FromPath
from litestar.response import Stream

from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.content.schemas import Deleted
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.api.media.desk import MediaDesk, MediaQuery
from engarde_daemon.api.media.form import Form
from engarde_daemon.api.media.schemas import MediaView
from engarde_daemon.api.paging import Page
from engarde_daemon.api.receiving import body_of
from engarde_daemon.domain.access import Principal, Role

Asked = Request[Principal, Any, Any]


class MediaController(Controller):
    """Upload, list, read, download, delete."""

    path = "/api/media"
    tags = ("media",)
    guards = (reaches(Role.VIEWER),)

    @post(
        operation_id="uploadMedia",
        guards=[reaches(Role.EDITOR)],
        request_max_body_size=None,  # the file is bounded by [media] file_bytes_max
    )
    async def upload(self, request: Asked, media_desk: Given[MediaDesk]) -> Response[bytes]:
        """Keep a file: the part `file` of a form, after its fields."""
        form = Form(request.headers.get("content-type", ""), body_of(request))
        return await media_desk.upload(Call(request.user, request.headers), form)

    @get(operation_id="listMedia")
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

    @get("/{media_id:str}/file", operation_id="downloadMedia")
    async def file(
        self, request: Asked, media_id: FromPath[str], media_desk: Given[MediaDesk]
    ) -> Response[bytes] | Stream:
        """The bytes of a file, or the range of them that is asked for."""
        return await media_desk.file(Call(request.user, request.headers), media_id)

    @get("/{media_id:str}/thumbnail", operation_id="downloadThumbnail")
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
