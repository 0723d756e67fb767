"""The foreman: the one way by which jobs are made, ended early and begun again.

Owns tenants' keys on their way in: they are sealed here, before anything stores them, and nothing
gives them out again.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, assert_never

import msgspec

from actors.foreman.messages import (
    ApproveJob,
    CancelJob,
    ForemanMessage,
    PutCredential,
    RemoveCredential,
    RetryJob,
    StartJob,
)
from engarde_daemon.core import BatchActor, BatchLimit
from engarde_daemon.domain.errors import Conflict, Exhausted, KeyReused, NotFound
from engarde_daemon.ports.generation import JobBook, JobDraft, Made, Retried
from engarde_daemon.ports.models import Secret
from engarde_daemon.ports.secrets import SecretBox, purpose_of

NO_JOB = "There is no such generation job."
NO_CREDENTIAL = "There is no credential for this provider."


class JobRules(msgspec.Struct, frozen=True, kw_only=True):
    """How many jobs of a tenant may be live, and how long a job may take at most."""

    jobs_max: int
    hold_s: float


class Foreman(BatchActor[ForemanMessage]):
    """Changes jobs and credentials, one at a time; its state is in the database."""

    batch = BatchLimit(messages=1)

    def __init__(
        self,
        book: JobBook,
        box: SecretBox,
        *,
        rules: JobRules,
        now: Callable[[], datetime],
        changed: Callable[[], None],
    ) -> None:
        self._book = book
        self._box = box
        self._rules = rules
        self._now = now
        self._changed = changed

    async def receive_batch(self, messages: Sequence[ForemanMessage]) -> Sequence[Any]:
        """Do what is asked, and have whoever works on jobs look."""
        answers = [await self._serve(message) for message in messages]
        self._changed()
        return answers

    async def _serve(self, message: ForemanMessage) -> Made | None:
        match message:
            case StartJob(draft=draft):
                return await self._start(draft)
            case CancelJob(key=key):
                _require(await self._book.cancel(key), "The job has ended already.")
            case ApproveJob(key=key):
                _require(await self._book.approve(key), "The job does not wait for an approval.")
            case RetryJob():
                await self._retry(message)
            case PutCredential():
                await self._put(message)
            case RemoveCredential(tenant_id=tenant_id, provider=provider):
                if not await self._book.remove_credential(tenant_id, provider):
                    raise NotFound(NO_CREDENTIAL)
            case _:
                assert_never(message)
        return None

    async def _start(self, draft: JobDraft) -> Made:
        made = await self._book.create(draft, most=self._rules.jobs_max)
        if made is Made.REUSED:
            raise KeyReused
        if made is Made.BUSY:
            raise self._busy()
        return made

    async def _retry(self, wish: RetryJob) -> None:
        retried = await self._book.retry(
            wish.key,
            period=self._now().date().replace(day=1),
            hold_s=self._rules.hold_s,
            max_cost_usd=wish.max_cost_usd,
            most=self._rules.jobs_max,
        )
        match retried:
            case Retried.MISSING:
                raise NotFound(NO_JOB)
            case Retried.LIVE:
                raise Conflict("The job is not at its end yet. Wait for it, then retry.")
            case Retried.NOTHING:
                raise Conflict("No item of the job failed; there is nothing to retry.")
            case Retried.BUSY:
                raise self._busy()
            case Retried.PIECES_FULL:
                raise Exhausted("The plan's monthly items do not allow this retry.")
            case Retried.STORAGE_FULL:
                raise Exhausted("The plan has no room for the items to be retried.")

    async def _put(self, wish: PutCredential) -> None:
        text = msgspec.json.encode(wish.secret).decode()
        sealed = self._box.seal(text, purpose_of(wish.tenant_id, wish.provider))
        await self._book.put_credential(
            wish.tenant_id,
            wish.provider,
            sealed=sealed,
            base_url=wish.secret.base_url if isinstance(wish.secret, Secret) else None,
            by=wish.by,
        )

    def _busy(self) -> Exhausted:
        return Exhausted(
            f"{self._rules.jobs_max} generation jobs of this tenant are running. Wait for one to "
            "end, or cancel one."
        )


def _require(done: bool | None, otherwise: str) -> None:  # noqa: FBT001 - the question is the argument
    if done is None:
        raise NotFound(NO_JOB)
    if not done:
        raise Conflict(otherwise)
