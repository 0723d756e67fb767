"""What is done for a caller who comes with many items at once.

Owns two promises. A bulk create is one transaction: all or none, or with `partial` each item for
itself. And a change by filter touches exactly the items the caller has seen: it is done only when
as many match as were confirmed, and passes over whatever changed in between.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
from litestar import Response

from actors.ingest.messages import (
    CreateContent,
    CreateMany,
    IngestMessage,
    WriteMany,
    WriteMessage,
    Written,
)
from engarde_daemon.api.bulk.reading import BulkCreate
from engarde_daemon.api.bulk.refusals import refused_item, within
from engarde_daemon.api.bulk.schemas import (
    ITEMS_MAX,
    BulkChanged,
    BulkCreated,
    BulkFilter,
    BulkTarget,
    changed_of,
)
from engarde_daemon.api.calls import Call, idempotency_of
from engarde_daemon.api.content.schemas import view_of
from engarde_daemon.api.fence import Fence, check_media
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Role
from engarde_daemon.domain.changes import Idempotency
from engarde_daemon.domain.errors import (
    EngardeError,
    FieldError,
    Invalid,
    NotConfirmed,
    RefusedTogether,
    Rejected,
)
from engarde_daemon.ports.content import ContentLibrary

T = TypeVar("T")

_JSON = msgspec.json.Encoder()

Change = Callable[[str, int | None], WriteMessage]
"""Makes the message that changes one item, at any version or only at the expected one."""


class _Chosen(msgspec.Struct, frozen=True):
    """An item to be changed; with a version, only if it is still as it was seen."""

    content_id: str
    version: int | None = None


class BulkDesk:
    """Serves the bulk routes."""

    def __init__(
        self,
        ingest: Address[IngestMessage],
        library: ContentLibrary,
        *,
        fence: Fence,
        write_timeout_s: float,
    ) -> None:
        self._ingest = ingest
        self._library = library
        self._fence = fence
        self._timeout_s = write_timeout_s

    async def create(self, call: Call, wanted: BulkCreate, raw: bytes) -> Response[bytes]:
        """Make the items.

        Raises:
            RefusedTogether: One of them is refused, and they were not to be made in part.
        """
        creations, barred = await self._creations(call, wanted, raw)
        refusals = {**wanted.faults, **barred}
        if refusals and not wanted.partial:
            raise RefusedTogether(refusals)
        answers = await self._make(list(creations.values()), partial=wanted.partial)
        made: dict[int, Written] = {}
        for index, answer in zip(creations, answers, strict=True):
            if isinstance(answer, Written):
                made[index] = answer
            else:
                refusals[index] = answer
        views = [view_of(answer.item, wanted.wishes[i].body) for i, answer in made.items()]
        errors = [refused_item(i, within(i, refusals[i])) for i in sorted(refusals)]
        response = _answer(BulkCreated(data=views, errors=errors), 207 if errors else 201)
        if made and not any(answer.is_new for answer in made.values()):
            response.headers["Idempotent-Replayed"] = "true"
        return response

    async def change(self, call: Call, target: BulkTarget, change: Change) -> Response[bytes]:
        """Change the items that are meant, each for itself."""
        target.check()
        if target.filter is not None:
            chosen = await self._matching(call, target.filter, target.confirm)
            barred: Mapping[str, EngardeError] = {}
        else:
            chosen = [_Chosen(content_id) for content_id in dict.fromkeys(target.ids or ())]
            ids = [one.content_id for one in chosen]
            barred = await self._fence.barred(call.principal, ids, Role.EDITOR)
        open_ = [one for one in chosen if one.content_id not in barred]
        writes = tuple(change(one.content_id, one.version) for one in open_)
        answers = await self._ask(WriteMany(writes=writes)) if writes else []
        told = dict(zip((one.content_id for one in open_), answers, strict=True))
        return _changes_told(chosen, {**told, **barred})

    async def _make(
        self, creations: Sequence[CreateContent], *, partial: bool
    ) -> Sequence[Written | EngardeError]:
        if not creations:
            return []
        if partial:
            return await self._ask(WriteMany(writes=tuple(creations)))
        return await self._ingest.ask(
            CreateMany(creations=tuple(creations)), timeout_s=self._timeout_s
        )

    async def _ask(self, request: WriteMany) -> Sequence[Written | EngardeError]:
        return await self._ingest.ask(request, timeout_s=self._timeout_s)

    async def _creations(
        self, call: Call, wanted: BulkCreate, raw: bytes
    ) -> tuple[dict[int, CreateContent], dict[int, EngardeError]]:
        """What is to be made, and what the caller may not make, both by place."""
        fallback = call.headers.get("x-brand-id")
        brand_of = _remembering(
            lambda wanted: self._fence.brand(call.principal, wanted or fallback, Role.EDITOR)
        )
        check_space = _remembering(
            lambda space_id: self._fence.require_space(call.principal, space_id)
        )
        media_ids = {media_id for wish in wanted.wishes.values() for media_id in wish.media}
        barred_media = await self._fence.barred_media(call.principal, media_ids)
        fingerprint = hashlib.sha256(f"POST /api/content/bulk {fallback} ".encode() + raw)
        promise = idempotency_of(call, fingerprint.hexdigest())
        creations: dict[int, CreateContent] = {}
        barred: dict[int, EngardeError] = {}
        for index, wish in wanted.wishes.items():
            try:
                brand_id = await brand_of(wish.brand_id)
                await check_space(wish.campaign_space_id)
                check_media(wish.media, barred_media)
            except Rejected as error:
                barred[index] = error
                continue
            creations[index] = CreateContent(
                tenant_id=call.principal.tenant_id,
                brand_id=brand_id,
                user_id=call.principal.user_id,
                draft=wish.draft(),
                idempotency=_promise_of(index, promise),
            )
        return creations, barred

    async def _matching(
        self, call: Call, wanted: BulkFilter, confirmed: int | None
    ) -> list[_Chosen]:
        """The items that a filter matches, as they are now.

        Raises:
            Invalid: They are too many.
            NotConfirmed: They are more or fewer than was confirmed.
        """
        brand_id = await self._fence.brand(
            call.principal, wanted.brand_id or call.headers.get("x-brand-id"), Role.EDITOR
        )
        listed = await self._library.list_items(
            call.principal.tenant_id,
            brand_id,
            filters=wanted.filters(),
            after=None,
            size=ITEMS_MAX + 1,
            skip=0,
        )
        if len(listed.items) > ITEMS_MAX:
            wrong = f"matches more than {ITEMS_MAX} items; do it in parts"
            raise Invalid([FieldError("filter", wrong)])
        if len(listed.items) != confirmed:
            raise NotConfirmed(len(listed.items))
        return [_Chosen(item.id, item.version) for item in listed.items]


def _remembering(
    ask: Callable[[str | None], Awaitable[T]],
) -> Callable[[str | None], Awaitable[T]]:
    """Ask once for each value, and give a refusal again as often as the answer."""
    answers: dict[str | None, T | Rejected] = {}

    async def answer(value: str | None) -> T:
        if value not in answers:
            try:
                answers[value] = await ask(value)
            except Rejected as error:
                answers[value] = error
        known = answers[value]
        if isinstance(known, Rejected):
            raise known
        return known

    return answer


def _promise_of(index: int, promise: Idempotency | None) -> Idempotency | None:
    """One key for each item; the first has the request's own, so that no other request takes it."""
    if promise is None or index == 0:
        return promise
    key = f"{hashlib.sha256(promise.key.encode()).hexdigest()}/{index}"
    return msgspec.structs.replace(promise, key=key)


def _changes_told(
    chosen: Sequence[_Chosen], answers: Mapping[str, Written | EngardeError]
) -> Response[bytes]:
    told = BulkChanged(data=[], errors=[])
    for index, one in enumerate(chosen):
        answer = answers[one.content_id]
        if isinstance(answer, Written):
            told.data.append(changed_of(answer.item, is_new=answer.is_new))
        else:
            told.errors.append(refused_item(index, answer, id=one.content_id))
    return _answer(told, 207 if told.errors else 200)


def _answer(told: BulkCreated | BulkChanged, status: int) -> Response[bytes]:
    return Response(_JSON.encode(told), status_code=status, media_type="application/json")
