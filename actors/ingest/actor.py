"""The one way by which content changes.

Owns group commit: everything waiting becomes one transaction, without added delay. Messages that
touch the same content or carry the same idempotency key are put into successive rounds, because a
round must not contradict itself. A write that lost a race against another daemon starts again from
the state that won, unless its caller insisted on a version.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

import msgspec

from actors.ingest.messages import (
    ChangeMessage,
    CreateContent,
    DeleteContent,
    IngestMessage,
    RestoreVersion,
    UndeleteContent,
    UpdateContent,
    Written,
)
from engarde_daemon.core import BatchActor, BatchLimit, Refusal
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import NotFound, NotInTrash, Unavailable, VersionConflict
from engarde_daemon.ports.content import (
    ContentKey,
    ContentLog,
    Head,
    Moved,
    Outcome,
    Replayed,
    VersionKey,
)

RACES_MAX = 5


class _Known(msgspec.Struct, frozen=True):
    """What a round starts from: present states, and past ones to go back to."""

    heads: Mapping[ContentKey, Head]
    pasts: Mapping[VersionKey, Item]


class Ingest(BatchActor[IngestMessage]):
    """Turns requests into versions, a transaction a batch."""

    batch = BatchLimit(messages=128, cost=16 * 1024 * 1024)

    def __init__(
        self,
        log: ContentLog,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        written: Callable[[Sequence[Written]], None],
    ) -> None:
        self._log = log
        self._now = now
        self._new_id = new_id
        self._written = written

    def cost(self, message: IngestMessage) -> int:
        """Count the characters of a body."""
        if isinstance(message, CreateContent):
            return len(message.draft.body)
        if isinstance(message, UpdateContent) and isinstance(message.patch.body, str):
            return len(message.patch.body)
        return 0

    async def receive_batch(self, messages: Sequence[IngestMessage]) -> Sequence[Any]:
        """Commit all messages, those that contradict each other one round after the other."""
        answers: list[Any] = [None] * len(messages)
        waiting = list(range(len(messages)))
        races = 0
        while waiting:
            chosen, waiting = _next_round(messages, waiting)
            lost = await self._commit_round(messages, chosen, answers)
            races = races + 1 if lost else 0
            if races > RACES_MAX:
                _give_up(lost, answers)
            else:
                waiting = lost + waiting
        return answers

    async def _commit_round(
        self, messages: Sequence[IngestMessage], chosen: Sequence[int], answers: list[Any]
    ) -> list[int]:
        known = await self._known([messages[place] for place in chosen])
        places, writes = [], []
        for place in chosen:
            write = self._plan(messages[place], known)
            if isinstance(write, Write):
                places.append(place)
                writes.append(write)
            else:
                answers[place] = write
        if not writes:
            return []
        outcomes = await self._log.commit(writes)
        lost = []
        for place, write, outcome in zip(places, writes, outcomes, strict=True):
            answers[place] = _answer(messages[place], write, outcome)
            if answers[place] is None:
                lost.append(place)
        self._written([answers[p] for p in places if isinstance(answers[p], Written)])
        return lost

    async def _known(self, messages: Sequence[IngestMessage]) -> _Known:
        changing = [m for m in messages if not isinstance(m, CreateContent)]
        pasts = [_past_key(m) for m in changing if isinstance(m, RestoreVersion)]
        return _Known(
            heads=await self._log.heads([_key(m) for m in changing]) if changing else {},
            pasts=await self._log.versions(pasts) if pasts else {},
        )

    def _plan(self, message: IngestMessage, known: _Known) -> Write | Refusal:
        try:
            if isinstance(message, CreateContent):
                return self._creation(message)
            return self._change(message, known)
        except Refusal as refusal:
            return refusal

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

    def _change(self, message: ChangeMessage, known: _Known) -> Write:
        head = _head(message, known)
        at, by, legacy = self._now(), message.user_id, head.legacy_body
        match message:
            case UpdateContent():
                return changes.update(head.item, message.patch, by=by, at=at, legacy_body=legacy)
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


def _head(message: ChangeMessage, known: _Known) -> Head:
    """What the change starts from.

    Raises:
        NotFound: There is no such content, or it lies in the trash.
        NotInTrash: It was to be taken out of the trash, and is not there.
        VersionConflict: It is at another version than its caller expects.
    """
    head = known.heads.get(_key(message))
    wants_trash = isinstance(message, UndeleteContent)
    if head is None or (head.item.deleted_at is not None and not wants_trash):
        raise NotFound("There is no such content.")
    if message.expected_version not in (None, head.item.version):
        raise VersionConflict(head.item.version)
    if wants_trash and head.item.deleted_at is None:
        raise NotInTrash
    return head


def _next_round(
    messages: Sequence[IngestMessage], waiting: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Split off the first messages that do not contradict each other."""
    chosen, later, taken = [], [], set()
    for place in waiting:
        claim = _claim(messages[place])
        if claim is not None and claim in taken:
            later.append(place)
        else:
            taken.add(claim)
            chosen.append(place)
    return chosen, later


def _claim(message: IngestMessage) -> object | None:
    """What no other message of the same round may touch."""
    if not isinstance(message, CreateContent):
        return _key(message)
    promise = message.idempotency
    return (message.tenant_id, promise.principal_id, promise.key) if promise else None


def _key(message: ChangeMessage) -> ContentKey:
    return ContentKey(message.tenant_id, message.content_id)


def _past_key(message: RestoreVersion) -> VersionKey:
    return VersionKey(message.tenant_id, message.content_id, message.version)


def _answer(message: IngestMessage, write: Write, outcome: Outcome) -> Any:
    """The asker's answer, or None when the write must start again from a newer state."""
    match outcome:
        case Item():
            return Written(outcome, write.body)
        case Replayed():
            return outcome
        case Moved() if isinstance(message, CreateContent) or message.expected_version is None:
            return None
        case Moved():
            return VersionConflict(outcome.current_version)
        case _:
            return outcome


def _give_up(lost: Iterable[int], answers: list[Any]) -> None:
    for place in lost:
        answers[place] = Unavailable("The content is changed too often just now. Try again.")
