"""From a request and what is known to the version it makes.

Owns what a request may rest on: the present state of what it changes, the past it goes back to,
and whether an import came before. Nothing here waits or stores.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from actors.ingest.messages import (
    ChangeMessage,
    CreateContent,
    DeleteContent,
    ImportContent,
    RestoreVersion,
    RetagContent,
    UndeleteContent,
    UpdateContent,
    WriteMessage,
    Written,
)
from engarde_daemon.core import Refusal
from engarde_daemon.domain import changes, transfer
from engarde_daemon.domain.changes import Patch, Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import NotFound, NotInTrash, VersionConflict
from engarde_daemon.ports.content import ContentKey, ContentLog, Head, VersionKey


class Known(msgspec.Struct, frozen=True):
    """What a round starts from: present states, and past ones to go back to."""

    heads: Mapping[ContentKey, Head]
    pasts: Mapping[VersionKey, Item]


async def look_up(log: ContentLog, messages: Sequence[WriteMessage]) -> Known:
    """Ask for everything these messages rest on.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    keys = [key for message in messages for key in _keys(message)]
    pasts = [_past_key(m) for m in messages if isinstance(m, RestoreVersion)]
    return Known(
        heads=await log.heads(keys) if keys else {},
        pasts=await log.versions(pasts) if pasts else {},
    )


def claim_of(message: WriteMessage) -> object | None:
    """What no other message of the same round may touch."""
    if not isinstance(message, CreateContent):
        return _keys(message)[0]
    promise = message.idempotency
    return (message.tenant_id, promise.principal_id, promise.key) if promise else None


class Planner:
    """Plans writes; the moment and the ids come from outside."""

    def __init__(self, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._now = now
        self._new_id = new_id

    def plan(self, message: WriteMessage, known: Known) -> Write | Written | Refusal:
        """The write that a message asks for, or its answer where nothing is to be written."""
        try:
            planned = self._planned(message, known)
        except Refusal as refusal:
            return refusal
        if message.trace is None or not isinstance(planned, Write):
            return planned
        return msgspec.structs.replace(planned, trace=message.trace)

    def _planned(self, message: WriteMessage, known: Known) -> Write | Written:
        if isinstance(message, CreateContent):
            return self._creation(message)
        if isinstance(message, ImportContent):
            return self._import(message, known)
        return self._change(message, known)

    def _creation(self, message: CreateContent) -> Write:
        return changes.create(
            message.draft,
            content_id=self._new_id(),
            tenant_id=message.tenant_id,
            brand_id=message.brand_id,
            user_id=message.user_id,
            at=self._now(),
            idempotency=message.idempotency,
        )

    def _import(self, message: ImportContent, known: Known) -> Write | Written:
        for key in _keys(message):
            head = known.heads.get(key)
            if head is not None and head.item.brand_id == message.brand_id:
                return Written(head.item, None, is_new=False)
        return transfer.take_in(
            message.parcel,
            tenant_id=message.tenant_id,
            brand_id=message.brand_id,
            user_id=message.user_id,
            at=self._now(),
        )

    def _change(self, message: ChangeMessage, known: Known) -> Write | Written:
        head = _head(message, known)
        at, by, legacy = self._now(), message.user_id, head.legacy_body
        match message:
            case UpdateContent() | RetagContent():
                patch, may_be_idle = _patch_of(message, head.item)
                if may_be_idle and changes.changes_nothing(head.item, patch):
                    return Written(head.item, None, is_new=False)
                return changes.update(head.item, patch, by=by, at=at, legacy_body=legacy)
            case DeleteContent():
                return changes.delete(head.item, by=by, at=at, legacy_body=legacy)
            case RestoreVersion():
                past = known.pasts.get(_past_key(message))
                if past is None:
                    raise NotFound("There is no such version.")
                return changes.restore_version(head.item, past, by=by, at=at)
            case UndeleteContent():
                return changes.undelete(head.item, by=by, at=at, legacy_body=legacy)
            case _:
                assert_never(message)


def _patch_of(message: UpdateContent | RetagContent, item: Item) -> tuple[Patch, bool]:
    """The patch, and whether no version is wanted where it changes nothing."""
    if isinstance(message, RetagContent):
        return changes.retag(item, add=message.add, remove=message.remove), True
    return message.patch, message.if_different


def _head(message: ChangeMessage, known: Known) -> Head:
    """What the change starts from.

    Raises:
        NotFound: There is no such content, or it lies in the trash.
        NotInTrash: It was to be taken out of the trash, and is not there.
        VersionConflict: It is at another version than its caller expects.
    """
    head = known.heads.get(ContentKey(message.tenant_id, message.content_id))
    wants_trash = isinstance(message, UndeleteContent)
    if head is None or (head.item.deleted_at is not None and not wants_trash):
        raise NotFound("There is no such content.")
    if message.expected_version not in (None, head.item.version):
        raise VersionConflict(head.item.version)
    if wants_trash and head.item.deleted_at is None:
        raise NotInTrash
    return head


def _keys(message: WriteMessage) -> list[ContentKey]:
    """The items a message rests on: an import on its own id, and on the one it came with."""
    if isinstance(message, CreateContent):
        return []
    if isinstance(message, ImportContent):
        source_id = message.parcel.source_id
        own_id = transfer.imported_id(message.tenant_id, message.brand_id, source_id)
        return [ContentKey(message.tenant_id, id_) for id_ in (own_id, source_id)]
    return [ContentKey(message.tenant_id, message.content_id)]


def _past_key(message: RestoreVersion) -> VersionKey:
    return VersionKey(message.tenant_id, message.content_id, message.version)
