"""The bulk routes: decode, ask, answer."""

from typing import Any

from litestar import Controller, Request, Response, post

from actors.ingest.messages import DeleteContent, RetagContent, UpdateContent
from engarde_daemon.api.access import reaches
from engarde_daemon.api.bulk.desk import BulkDesk
from engarde_daemon.api.bulk.reading import read_bulk_create
from engarde_daemon.api.bulk.refusals import refused_together
from engarde_daemon.api.bulk.schemas import BulkDelete, BulkStatus, BulkTags
from engarde_daemon.api.calls import Call
from engarde_daemon.api.decoding import decode_json
from engarde_daemon.api.giving import Given
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import RefusedTogether

Asked = Request[Principal, Any, Any]


class BulkController(Controller):
    """Create and change many items at once."""

    path = "/api/content/bulk"
    tags = ("bulk",)
    guards = (reaches(Role.EDITOR),)

    @post(operation_id="createContentBulk")
    async def create(self, request: Asked, bulk: Given[BulkDesk]) -> Response[bytes]:
        """Make up to 500 items, all or none; with `partial` each for itself."""
        raw = await request.body()
        try:
            return await bulk.create(_call(request), read_bulk_create(raw), raw)
        except RefusedTogether as refused:
            return refused_together(refused)

    @post("/status", operation_id="setStatusBulk", status_code=200)
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

    @post("/tags", operation_id="setTagsBulk", status_code=200)
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

    @post("/delete", operation_id="deleteContentBulk", status_code=200)
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


def _call(request: Asked) -> Call:
    return Call(request.user, request.headers)
