"""The routes of content: decode, ask, answer."""

from typing import Any

from litestar import Controller, Request
from litestar.params import FromPath

from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call, expected_version
from engarde_daemon.api.content.answers import page_answer
from engarde_daemon.api.content.desk import ContentDesk
from engarde_daemon.api.content.listing import DeleteQuery, ListQuery, query_of
from engarde_daemon.api.content.schemas import (
    ContentCreate,
    ContentPage,
    ContentPatch,
    ContentView,
    Deleted,
)
from engarde_daemon.api.content.trash import Erased, TrashDesk
from engarde_daemon.api.contract import (
    BRAND_ID,
    ETAG,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    LOCATION,
    REPLAYED,
    SERVED_FROM,
    Answer,
    promise,
)
from engarde_daemon.api.decoding import decode_json, decode_query
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.giving import Given
from engarde_daemon.api.routing import Ready, delete, get, patch, post
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import (
    Conflict,
    FieldError,
    Forbidden,
    IllegalTransition,
    Invalid,
    KeyReused,
    NotFound,
    QuotaExceeded,
    VersionConflict,
)

Asked = Request[Principal, Any, Any]


class ContentController(Controller):
    """Create, list, read, change, delete."""

    path = "/api/content"
    tags = ("content",)
    guards = (reaches(Role.VIEWER),)

    @post(
        operation_id="createContent",
        guards=[reaches(Role.EDITOR)],
        opt=promise(
            body=ContentCreate,
            headers=(BRAND_ID, IDEMPOTENCY_KEY),
            answers={
                201: Answer(says="The item.", shape=ContentView, headers=(LOCATION, ETAG, REPLAYED))
            },
            errors=(NotFound, KeyReused, QuotaExceeded, Conflict),
        ),
    )
    async def create(self, request: Asked, desk: Given[ContentDesk]) -> Ready:
        """Make a new item."""
        raw = await request.body()
        wish = decode_json(raw, ContentCreate)
        return await desk.create(_call(request), wish, raw)

    @get(
        operation_id="listContent",
        opt=promise(
            query=ListQuery,
            headers=(BRAND_ID,),
            answers={200: Answer(says="A page.", shape=ContentPage)},
            errors=(NotFound,),
        ),
    )
    async def page(self, request: Asked, desk: Given[ContentDesk]) -> Ready:
        """A page of a brand's items, newest first."""
        query = decode_query(query_of(request.scope["query_string"]), ListQuery)
        return page_answer(await desk.page(_call(request), query))

    @get(
        "/{content_id:str}",
        operation_id="readContent",
        opt=promise(
            headers=(IF_NONE_MATCH,),
            answers={
                200: Answer(says="The item.", shape=ContentView, headers=(ETAG, SERVED_FROM)),
                304: Answer(says="It is still at the version you have.", headers=(ETAG,)),
            },
        ),
    )
    async def read(
        self, request: Asked, content_id: FromPath[str], desk: Given[ContentDesk]
    ) -> Ready:
        """One item with its body and history."""
        return await desk.read(_call(request), content_id)

    @patch(
        "/{content_id:str}",
        operation_id="updateContent",
        guards=[reaches(Role.EDITOR)],
        opt=promise(
            body=ContentPatch,
            headers=(IF_MATCH,),
            answers={
                200: Answer(
                    says="The item as it now stands.",
                    shape=ContentView,
                    headers=(ETAG, SERVED_FROM),
                )
            },
            errors=(VersionConflict, IllegalTransition, QuotaExceeded, Conflict),
        ),
    )
    async def update(
        self, request: Asked, content_id: FromPath[str], desk: Given[ContentDesk]
    ) -> Ready:
        """Change some fields of an item."""
        wish = decode_json(await request.body(), ContentPatch)
        return await desk.update(_call(request), content_id, wish)

    @delete(
        "/{content_id:str}",
        operation_id="deleteContent",
        status_code=200,
        guards=[reaches(Role.EDITOR)],
        opt=promise(
            query=DeleteQuery,
            headers=(IF_MATCH,),
            answers={200: Answer(says="It is in the trash, or forgotten.", shape=Deleted | Erased)},
            errors=(VersionConflict,),
        ),
    )
    async def delete(
        self,
        request: Asked,
        content_id: FromPath[str],
        *,
        desk: Given[ContentDesk],
        trash: Given[TrashDesk],
        fence: Given[Fence],
    ) -> Deleted | Erased:
        """Put an item into the trash, or forget it for good.

        With `permanent`, which needs the role `admin`, every store forgets it, and the answer has
        a receipt. `If-Match` guards the way into the trash alone.
        """
        query = decode_query(query_of(request.scope["query_string"]), DeleteQuery)
        if not query.permanent:
            return await desk.delete(_call(request), content_id)
        if not request.user.role.reaches(Role.ADMIN):
            raise Forbidden("Only an administrator may delete for good.")
        if expected_version(request.headers) is not None:
            raise Invalid(
                [FieldError("If-Match", "does not guard a delete for good; leave it out")]
            )
        await fence.require_item(request.user, content_id, Role.ADMIN)
        return await trash.erase(_call(request), content_id)


def _call(request: Asked) -> Call:
    return Call(request.user, request.headers)
