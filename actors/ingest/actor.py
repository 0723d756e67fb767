"""The one way by which content changes.

Owns group commit: everything waiting becomes one transaction, without added delay. Messages that
touch the same content or carry the same idempotency key are put into successive rounds, because a
round must not contradict itself. A write that lost a race against another daemon starts again from
the state that won, unless its caller insisted on a version.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, assert_never

from actors.ingest.messages import (
    CreateContent,
    DeleteContent,
    IngestMessage,
    UpdateContent,
    Written,
)
from engarde_daemon.core import BatchActor, BatchLimit, Refusal
from engarde_daemon.domain import changes
from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import NotFound, Unavailable, VersionConflict
from engarde_daemon.ports.content import ContentKey, ContentLog, Head, Moved, Outcome, Replayed

RACES_MAX = 5


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
        heads = await self._heads(messages[place] for place in chosen)
        places, writes = [], []
        for place in chosen:
            write = self._plan(messages[place], heads)
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

    async def _heads(self, messages: Iterable[IngestMessage]) -> dict[ContentKey, Head]:
        keys = [_key(message) for message in messages if not isinstance(message, CreateContent)]
        return await self._log.heads(keys) if keys else {}

    def _plan(self, message: IngestMessage, heads: dict[ContentKey, Head]) -> Write | Refusal:
        if isinstance(message, CreateContent):
            return self._creation(message)
        head = heads.get(_key(message))
        if head is None:
            return NotFound("There is no such content.")
        if message.expected_version not in (None, head.item.version):
            return VersionConflict(head.item.version)
        return self._change(message, head)

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

    def _change(self, message: UpdateContent | DeleteContent, head: Head) -> Write:
        at, by, legacy = self._now(), message.user_id, head.legacy_body
        match message:
            case UpdateContent():
                return changes.update(head.item, message.patch, by=by, at=at, legacy_body=legacy)
            case DeleteContent():
                return changes.delete(head.item, by=by, at=at, legacy_body=legacy)
            case _:
                assert_never(message)


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


def _key(message: UpdateContent | DeleteContent) -> ContentKey:
    return ContentKey(message.tenant_id, message.content_id)


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
