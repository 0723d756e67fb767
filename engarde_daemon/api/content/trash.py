"""The trash over HTTP: out of it again, or gone for good.

Erasing is the administrator's and leaves a receipt that says what was removed and when, but
nothing of what it said.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Controller, Request
from litestar.params import FromPath

from actors.ingest.messages import IngestMessage, UndeleteContent
from actors.steward.messages import EraseContent, StewardMessage
from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call, expected_version
from engarde_daemon.api.content.answers import answer_with
from engarde_daemon.api.content.schemas import ContentView, is_id, view_of
from engarde_daemon.api.contract import (
    ETAG,
    IF_MATCH,
    SERVED_FROM,
    Answer,
    promise,
)
from engarde_daemon.api.giving import Given
from engarde_daemon.api.routing import Ready, get, post
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import (
    Conflict,
    NotFound,
    NotInTrash,
    QuotaExceeded,
    VersionConflict,
)
from engarde_daemon.ports.content import Bodies
from engarde_daemon.ports.retention import Erasure, Receipts

Asked = Request[Principal, Any, Any]


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an erasure; the receipt says when every store has forgotten."""

    message: str
    id: str
    receipt_id: str
    versions: int


class TrashDesk:
    """Serves the routes of the trash."""

    def __init__(
        self,
        *,
        ingest: Address[IngestMessage],
        steward: Address[StewardMessage],
        bodies: Bodies,
        receipts: Receipts,
        new_id: Callable[[], str],
        timeout_s: float,
    ) -> None:
        self._ingest = ingest
        self._steward = steward
        self._bodies = bodies
        self._receipts = receipts
        self._new_id = new_id
        self._timeout_s = timeout_s

    async def undelete(self, call: Call, content_id: str) -> Ready:
        """Take an item out of the trash, if the plan has room for it."""
        written = await self._ingest.ask(
            UndeleteContent(
                tenant_id=call.principal.tenant_id,
                content_id=_checked(content_id),
                user_id=call.principal.user_id,
                expected_version=expected_version(call.headers),
            ),
            timeout_s=self._timeout_s,
        )
        body, place = await self._bodies.of(written.item)
        return answer_with(view_of(written.item, body), written.item, served_from=place)

    async def erase(self, call: Call, content_id: str) -> Erased:
        """Forget an item everywhere."""
        receipt_id = self._new_id()
        versions = await self._steward.ask(
            EraseContent(
                erasure_id=receipt_id,
                tenant_id=call.principal.tenant_id,
                content_id=_checked(content_id),
                user_id=call.principal.user_id,
            ),
            timeout_s=self._timeout_s,
        )
        if versions is None:
            raise NotFound("There is no such content.")
        return Erased(
            message="Content erased; the receipt says when every store has forgotten it",
            id=content_id,
            receipt_id=receipt_id,
            versions=versions,
        )

    async def receipt(self, call: Call, erasure_id: str) -> Erasure:
        """The receipt of an erasure."""
        found = await self._receipts.find_erasure(call.principal.tenant_id, _checked(erasure_id))
        if found is None or not _answers_for(call.principal, found.brand_id):
            raise NotFound("There is no such receipt.")
        return found


class TrashController(Controller):
    """Undelete, and receipts of erasures."""

    path = "/api"
    tags = ("content",)

    @post(
        "/content/{content_id:str}/restore",
        operation_id="restoreContent",
        status_code=200,
        guards=[reaches(Role.EDITOR)],
        opt=promise(
            headers=(IF_MATCH,),
            answers={
                200: Answer(
                    says="The item, back from the trash.",
                    shape=ContentView,
                    headers=(ETAG, SERVED_FROM),
                )
            },
            errors=(NotInTrash, VersionConflict, QuotaExceeded, Conflict),
        ),
    )
    async def restore(
        self, request: Asked, content_id: FromPath[str], trash: Given[TrashDesk]
    ) -> Ready:
        """Take an item out of the trash."""
        return await trash.undelete(Call(request.user, request.headers), content_id)

    @get("/erasures/{erasure_id:str}", operation_id="readErasure", guards=[reaches(Role.ADMIN)])
    async def receipt(
        self, request: Asked, erasure_id: FromPath[str], trash: Given[TrashDesk]
    ) -> Erasure:
        """The receipt of an erasure."""
        return await trash.receipt(Call(request.user, request.headers), erasure_id)


def _answers_for(principal: Principal, brand_id: str | None) -> bool:
    return principal.reaches(Role.ADMIN, None if brand_id is None else [brand_id])


def _checked(text: str) -> str:
    if not is_id(text):
        raise NotFound("There is no such content.")
    return text
