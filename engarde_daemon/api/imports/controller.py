"""The routes of imports."""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath

from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import (
    BRAND_ID,
    IDEMPOTENCY_KEY,
    LOCATION,
    REPLAYED,
    Answer,
    promise,
)
from engarde_daemon.api.decoding import decode_json, decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.api.imports.desk import ImportDesk
from engarde_daemon.api.imports.schemas import (
    AssetsQuery,
    AssetView,
    ExportRow,
    FileQuery,
    ImportCreated,
    ImportsQuery,
    ImportView,
    ImportWish,
)
from engarde_daemon.api.paging import Page
from engarde_daemon.api.receiving import body_of
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Conflict, Exhausted, KeyReused, NotFound

Asked = Request[Principal, Any, Any]
Desk = Given[ImportDesk]


class CampaignImportController(Controller):
    """Import campaigns into a campaign space."""

    path = "/api/campaign-spaces"
    tags = ("imports",)
    guards = (reaches(Role.EDITOR),)

    @post(
        "/{space_id:str}/import-content",
        operation_id="importCampaign",
        status_code=202,
        opt=promise(
            body=ImportWish,
            headers=(BRAND_ID, IDEMPOTENCY_KEY),
            answers={
                202: Answer(
                    says="The import; it goes on by itself.",
                    shape=ImportCreated,
                    headers=(LOCATION, REPLAYED),
                )
            },
            errors=(NotFound, Conflict, KeyReused, Exhausted),
        ),
    )
    async def start(
        self, request: Asked, space_id: FromPath[str], import_desk: Desk
    ) -> Response[bytes]:
        """Import a campaign's ads, their pictures and videos, and how they did."""
        raw = await request.body()
        wish = decode_json(raw, ImportWish)
        return await import_desk.start(
            Call(request.user, request.headers), space_id, wish=wish, raw=raw
        )

    @post(
        "/{space_id:str}/import-file",
        operation_id="importCampaignFile",
        status_code=202,
        request_max_body_size=None,  # bounded by the desk, as it comes
        opt=promise(
            query=FileQuery,
            lines=ExportRow,
            media_type="application/x-ndjson",
            other_media=("application/json", "text/csv", "application/octet-stream"),
            headers=(BRAND_ID,),
            answers={
                202: Answer(
                    says="The import; it goes on by itself.",
                    shape=ImportCreated,
                    headers=(LOCATION,),
                )
            },
            errors=(NotFound, Conflict, Exhausted),
            statuses=(400, 408),
        ),
    )
    async def receive(
        self, request: Asked, space_id: FromPath[str], import_desk: Desk
    ) -> Response[bytes]:
        """Import an export of any platform: CSV with a header, JSON lines or a list of objects."""
        query = decode_query(query_of(request.scope["query_string"]), FileQuery)
        call = Call(request.user, request.headers)
        return await import_desk.receive(call, space_id, query=query, chunks=body_of(request))


class ImportJobsController(Controller):
    """Look at imports, and cancel them."""

    path = "/api/import-jobs"
    tags = ("imports",)
    guards = (reaches(Role.VIEWER),)

    @get(operation_id="listImports", opt=promise(query=ImportsQuery, errors=(NotFound,)))
    async def page(self, request: Asked, import_desk: Desk) -> Page[ImportView]:
        """A page of imports, the newest first."""
        query = decode_query(query_of(request.scope["query_string"]), ImportsQuery)
        return await import_desk.page(request.user, query)

    @get("/{import_id:str}", operation_id="readImport")
    async def read(self, request: Asked, import_id: FromPath[str], import_desk: Desk) -> ImportView:
        """One import, with the first assets that failed."""
        return await import_desk.read(request.user, import_id)

    @get("/{import_id:str}/items", operation_id="listImportItems", opt=promise(query=AssetsQuery))
    async def items(
        self, request: Asked, import_id: FromPath[str], import_desk: Desk
    ) -> Page[AssetView]:
        """A page of what became of an import's assets."""
        query = decode_query(query_of(request.scope["query_string"]), AssetsQuery)
        return await import_desk.items(request.user, import_id, query)

    @post(
        "/{import_id:str}/cancel",
        operation_id="cancelImport",
        guards=[reaches(Role.EDITOR)],
        status_code=200,
        opt=promise(errors=(Conflict,)),
    )
    async def cancel(
        self, request: Asked, import_id: FromPath[str], import_desk: Desk
    ) -> ImportView:
        """Import nothing more; what was imported stays."""
        return await import_desk.cancel(request.user, import_id)
