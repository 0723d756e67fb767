"""The bulk routes: decode, ask, answer."""

from typing import Any

from litestar import Controller, Request, Response, post

from actors.ingest.messages import DeleteContent, RetagContent, UpdateContent
from engarde_daemon.api.access import reaches
from engarde_daemon.api.bulk.desk import BulkDesk
from engarde_daemon.api.bulk.reading import Bulk, read_bulk_create
from engarde_daemon.api.bulk.refusals import refused_together
from engarde_daemon.api.bulk.schemas import (
    BulkChanged,
    BulkCreated,
    BulkDelete,
    BulkQuery,
    BulkStatus,
    BulkTags,
)
from engarde_daemon.api.calls import Call
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.content.schemas import ContentCreate
from engarde_daemon.api.contract import (
    BRAND_ID,
    IDEMPOTENCY_KEY,
    REPLAYED,
    Answer,
    promise,
)
from engarde_daemon.api.decoding import decode_json, decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import (
    Conflict,
    KeyReused,
    NotConfirmed,
    NotFound,
    QuotaExceeded,
    RefusedTogether,
)

Asked = Request[Principal, Any, Any]

_CHANGED = {
    200: Answer(says="All are as they shall be.", shape=BulkChanged),
    207: Answer(says="Some were refused; `errors` says which and why.", shape=BulkChanged),
}
_CHANGING: dict[str, Any] = {
    "headers": (BRAND_ID,),
    "answers": _CHANGED,
    "errors": (NotFound, NotConfirmed),
}


class BulkController(Controller):
    """Create and change many items at once."""

    path = "/api/content/bulk"
    tags = ("bulk",)
    guards = (reaches(Role.EDITOR),)

    @post(
        operation_id="createContentBulk",
        opt=promise(
            query=BulkQuery,
            body=Bulk[ContentCreate],
            headers=(BRAND_ID, IDEMPOTENCY_KEY),
            answers={
                201: Answer(says="All were made.", shape=BulkCreated, headers=(REPLAYED,)),
                207: Answer(
                    says="Some were refused; `errors` says which and why.",
                    shape=BulkCreated,
                    headers=(REPLAYED,),
                ),
            },
            errors=(NotFound, KeyReused, QuotaExceeded, Conflict),
        ),
    )
    async def create(self, request: Asked, bulk: Given[BulkDesk]) -> Response[bytes]:
        """Make up to 500 items, all or none; with `partial` each for itself."""
        query = decode_query(query_of(request.scope["query_string"]), BulkQuery)
        raw = await request.body()
        wanted = read_bulk_create(raw, partial=query.partial)
        try:
            return await bulk.create(_call(request), wanted, _said(query, raw))
        except RefusedTogether as refused:
            return refused_together(refused)

    @post(
        "/status",
        operation_id="setStatusBulk",
        status_code=200,
        opt=promise(body=BulkStatus, **_CHANGING),
    )
    async def status(self, request: Asked, bulk: Given[BulkDesk]) -> Response[bytes]:
        """Give many items another status."""
        wish, user = decode_json(await request.body(), BulkStatus), request.user
        patch = wish.patch()
        return await bulk.change(
            _call(request),
            wish,
            lambda content_id, version: UpdateContent(
                tenant_id=user.tenant_id,
                content_id=content_id,
                user_id=user.user_id,
                patch=patch,
                expected_version=version,
                if_different=True,
            ),
        )

    @post(
        "/tags",
        operation_id="setTagsBulk",
        status_code=200,
        opt=promise(body=BulkTags, **_CHANGING),
    )
    async def tag(self, request: Asked, bulk: Given[BulkDesk]) -> Response[bytes]:
        """Put tags on many items, and take others off."""
        wish, user = decode_json(await request.body(), BulkTags), request.user
        add, remove = tuple(wish.add), tuple(wish.remove)
        return await bulk.change(
            _call(request),
            wish,
            lambda content_id, version: RetagContent(
                tenant_id=user.tenant_id,
                content_id=content_id,
                user_id=user.user_id,
                add=add,
                remove=remove,
                expected_version=version,
            ),
        )

    @post(
        "/delete",
        operation_id="deleteContentBulk",
        status_code=200,
        opt=promise(body=BulkDelete, **_CHANGING),
    )
    async def delete(self, request: Asked, bulk: Given[BulkDesk]) -> Response[bytes]:
        """Put many items into the trash."""
        wish, user = decode_json(await request.body(), BulkDelete), request.user
        return await bulk.change(
            _call(request),
            wish,
            lambda content_id, version: DeleteContent(
                tenant_id=user.tenant_id,
                content_id=content_id,
                user_id=user.user_id,
                expected_version=version,
            ),
        )


def _said(query: BulkQuery, raw: bytes) -> bytes:
    """All of a request that makes it another one under the same Idempotency-Key."""
    return b"?partial=true " + raw if query.partial else raw


def _call(request: Asked) -> Call:
    return Call(request.user, request.headers)
