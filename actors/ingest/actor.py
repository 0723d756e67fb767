"""The one way by which content changes.

Owns group commit: everything waiting becomes one transaction, without added delay. Messages that
touch the same content or carry the same idempotency key are put into successive rounds, because a
round must not contradict itself. A write that lost a race against another daemon starts again from
the state that won, unless its caller insisted on a version. A message for many writes is a batch
of its own, so that its fate is nobody else's.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from actors.ingest.messages import (
    CreateContent,
    CreateMany,
    ImportContent,
    IngestMessage,
    UpdateContent,
    WriteMany,
    WriteMessage,
    Written,
)
from actors.ingest.planning import Planner, claim_of, look_up
from engarde_daemon.core import BatchActor, BatchLimit, Refusal
from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import (
    EngardeError,
    NotFound,
    RefusedTogether,
    StagingFull,
    Unavailable,
    VersionConflict,
)
from engarde_daemon.failpoints import INGEST_AFTER_COMMIT, INGEST_BEFORE_COMMIT
from engarde_daemon.ports.content import ContentLog, Moved, Outcome, Replayed, VersionKey

RACES_MAX = 20

Plan: TypeAlias = Write | Written | Refusal


class Ingest(BatchActor[IngestMessage]):
    """Turns requests into versions, a transaction a batch."""

    # Small enough that at many writers one group commits while the next one's requests are read: were
    # all of them in one group, PostgreSQL and this process would wait for each other by turns.
    batch = BatchLimit(messages=32, cost=16 * 1024 * 1024)

    def __init__(
        self,
        log: ContentLog,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        written: Callable[[Sequence[Written]], None],
        admit_body: Callable[[int], bool],
    ) -> None:
        self._log = log
        self._planner = Planner(now, new_id)
        self._written = written
        self._admit_body = admit_body

    def cost(self, message: IngestMessage) -> int:
        """Count the characters of a body; many writes at once leave no room for others."""
        if isinstance(message, (CreateMany, WriteMany)):
            return self.batch.cost + 1
        if isinstance(message, CreateContent):
            return len(message.draft.body)
        if isinstance(message, UpdateContent) and isinstance(message.patch.body, str):
            return len(message.patch.body)
        return 0

    async def receive_batch(self, messages: Sequence[IngestMessage]) -> Sequence[Any]:
        """Commit all messages, those that contradict each other one round after the other."""
        match messages:
            case [CreateMany() as many]:
                return [await self._create_all(many.creations)]
            case [WriteMany() as many]:
                answers = await self._write_each(many.writes)
                return [await self._with_replays(many.writes, answers)]
            case _:
                return await self._write_each(messages)  # type: ignore[arg-type]

    async def _write_each(self, messages: Sequence[WriteMessage]) -> list[Any]:
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
        self, messages: Sequence[WriteMessage], chosen: Sequence[int], answers: list[Any]
    ) -> list[int]:
        known = await look_up(self._log, [messages[place] for place in chosen])
        places, writes = [], []
        for place in chosen:
            planned = self._admitted(self._planner.plan(messages[place], known))
            if isinstance(planned, Write):
                places.append(place)
                writes.append(planned)
            else:
                answers[place] = planned
        if not writes:
            return []
        outcomes = await self._commit(writes)
        lost = []
        for place, write, outcome in zip(places, writes, outcomes, strict=True):
            answers[place] = _answer(messages[place], write, outcome)
            if answers[place] is None:
                lost.append(place)
        self._written([answers[p] for p in places if isinstance(answers[p], Written)])
        return lost

    async def _commit(self, writes: Sequence[Write], *, whole: bool = False) -> list[Outcome]:
        await INGEST_BEFORE_COMMIT.reached()
        outcomes = await self._log.commit(writes, whole=whole)
        await INGEST_AFTER_COMMIT.reached()
        return outcomes

    def _admitted(self, planned: Plan) -> Plan:
        """The plan, unless it stages a body for which there is no room."""
        if not isinstance(planned, Write) or planned.body is None:
            return planned
        return planned if self._admit_body(planned.item.size_bytes) else StagingFull()

    async def _create_all(self, creations: Sequence[CreateContent]) -> list[Written]:
        known = await look_up(self._log, creations)
        planned = [self._admitted(self._planner.plan(each, known)) for each in creations]
        _refuse_together(planned)
        writes = [plan for plan in planned if isinstance(plan, Write)]
        outcomes = await self._commit(writes, whole=True)
        _refuse_together(outcomes)
        answers = [
            _answer(creation, write, outcome)
            for creation, write, outcome in zip(creations, writes, outcomes, strict=True)
        ]
        self._written([answer for answer in answers if isinstance(answer, Written)])
        complete = await self._with_replays(creations, answers)
        _refuse_together(complete)
        return complete

    async def _with_replays(
        self, messages: Sequence[WriteMessage], answers: Sequence[Any]
    ) -> list[Any]:
        """Answer what was made for an earlier request with what was made then."""
        keys = {
            place: VersionKey(messages[place].tenant_id, answer.content_id, answer.version)
            for place, answer in enumerate(answers)
            if isinstance(answer, Replayed)
        }
        if not keys:
            return list(answers)
        made = await self._log.versions(list(keys.values()))
        return [
            _replay(made.get(keys[place])) if place in keys else answer
            for place, answer in enumerate(answers)
        ]


def _next_round(
    messages: Sequence[WriteMessage], waiting: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Split off the first messages that do not contradict each other."""
    chosen, later, taken = [], [], set()
    for place in waiting:
        claim = claim_of(messages[place])
        if claim is not None and claim in taken:
            later.append(place)
        else:
            taken.add(claim)
            chosen.append(place)
    return chosen, later


def _answer(message: WriteMessage, write: Write, outcome: Outcome) -> Any:
    """The asker's answer, or None when the write must start again from a newer state."""
    match outcome:
        case Item():
            return Written(outcome, write.body)
        case Replayed():
            return outcome
        case Moved() if _takes_any_version(message):
            return None
        case Moved():
            return VersionConflict(outcome.current_version)
        case _:
            return outcome


def _takes_any_version(message: WriteMessage) -> bool:
    return isinstance(message, (CreateContent, ImportContent)) or message.expected_version is None


def _replay(made: Item | None) -> Written | NotFound:
    if made is None:
        return NotFound("What this Idempotency-Key made does not exist any more.")
    return Written(made, None, is_new=False)


def _refuse_together(outcomes: Sequence[object]) -> None:
    """Refuse all where one is refused.

    Raises:
        RefusedTogether: One or more of them are.
    """
    refusals = {place: o for place, o in enumerate(outcomes) if isinstance(o, EngardeError)}
    if refusals:
        raise RefusedTogether(refusals)


def _give_up(lost: Iterable[int], answers: list[Any]) -> None:
    for place in lost:
        answers[place] = Unavailable("The content is changed too often just now. Try again.")
