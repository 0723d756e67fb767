"""The shelver: takes answers that are committed and makes content of them.

Owns that each item becomes one content: the item's name is the idempotency key of its write, so
that what was stored by a daemon that died before it could say so is found, not stored again.
Fifty at most go to ingest together, as one message, so that people's own writes come in between.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import structlog

from actors.ingest.messages import CreateContent, IngestMessage, WriteMany, Written
from actors.shelver.judging import Accepted, judge
from actors.shelver.messages import Shelve
from actors.shelver.twins import Twins
from engarde_daemon.core import ActorError, Address, BatchActor, BatchLimit
from engarde_daemon.domain.changes import Draft, Idempotency
from engarde_daemon.domain.content import Details, Status, size_of
from engarde_daemon.domain.errors import EngardeError, QuotaExceeded, Retryable
from engarde_daemon.domain.generation import Failure, metadata_of, tags_of
from engarde_daemon.failpoints import SHELVER_AFTER_WRITE
from engarde_daemon.ports.generation import Claim, Step, WorkBench, failed, kept_back, stored

PRINCIPAL = "generation"
TIMEOUT_S = 20.0
LATER_S = 5.0

_LOG = structlog.get_logger("engarde.generation")


class Shelver(BatchActor[Shelve]):
    """Stores pieces, a write of up to fifty at a time."""

    batch = BatchLimit(messages=50)

    def __init__(self, bench: WorkBench, ingest: Address[IngestMessage], twins: Twins) -> None:
        self._bench = bench
        self._ingest = ingest
        self._twins = twins

    async def receive_batch(self, messages: Sequence[Shelve]) -> Sequence[bool]:
        """Judge all answers, store what passes, and write down what became of each."""
        await self._twins.learn(messages)
        judged = {
            n: judge(m.claim, m.answer, twin=self._twins.twin_of(m.claim))
            for n, m in enumerate(messages)
        }
        accepted = {n: one for n, one in judged.items() if isinstance(one, Accepted)}
        steps = {n: one for n, one in judged.items() if isinstance(one, Step)}
        if accepted:
            steps |= await self._store(messages, accepted)
        held = await self._bench.note([steps[n] for n in range(len(messages))])
        return [n in held for n in range(len(messages))]

    async def _store(
        self, messages: Sequence[Shelve], accepted: Mapping[int, Accepted]
    ) -> dict[int, Step]:
        claims = {n: messages[n].claim for n in accepted}
        creations = {n: _creation(messages[n], one) for n, one in accepted.items()}
        sizes: Counter[str] = Counter()
        for n, creation in creations.items():
            sizes[claims[n].job_id] += size_of(creation.draft.body)
        await self._bench.draw(sizes)
        try:
            answers = await self._ingest.ask(
                WriteMany(writes=tuple(creations.values())), timeout_s=TIMEOUT_S
            )
        except (ActorError, Retryable) as error:
            _LOG.warning("generated content waits to be stored", error=type(error).__name__)
            return {n: kept_back(claim, wait_s=LATER_S) for n, claim in claims.items()}
        await SHELVER_AFTER_WRITE.reached()
        return {
            n: _step_of(claims[n], accepted[n], answer)
            for n, answer in zip(creations, answers, strict=True)
        }


def _creation(message: Shelve, accepted: Accepted) -> CreateContent:
    claim, piece, spec = message.claim, accepted.piece, message.claim.spec
    metadata = metadata_of(
        spec, job_id=claim.job_id, number=claim.number, model=message.answer.model
    )
    if accepted.findings:
        metadata["brand_findings"] = [finding.message for finding in accepted.findings]
    return CreateContent(
        tenant_id=claim.tenant_id,
        brand_id=claim.brand_id,
        user_id=claim.user_id,
        draft=Draft(
            title=piece.title,
            body=piece.body,
            content_type=spec.content_type,
            status=Status.DRAFT,
            details=Details(
                platforms=tuple(spec.platforms),
                hashtags=tags_of(piece.hashtags),
                metadata=metadata,
            ),
            campaign_space_id=spec.campaign_space_id,
        ),
        # The draft may differ between two attempts (the time of day, a rule that was changed):
        # the item alone says that they are the same.
        idempotency=Idempotency(PRINCIPAL, f"{claim.job_id}/{claim.number}", ""),
    )


def _step_of(claim: Claim, accepted: Accepted, answer: Written | EngardeError) -> Step:
    match answer:
        case Written(item=item):
            return stored(
                claim, content_id=item.id, size_bytes=item.size_bytes, findings=accepted.findings
            )
        case QuotaExceeded():
            return failed(claim, Failure.STORAGE_FULL, answer.detail)
        case Retryable():
            return kept_back(claim, wait_s=LATER_S)
        case _:
            return failed(claim, Failure.NOT_STORED, answer.detail)
