"""Items of jobs as they are worked on: claims, the steps under them, and the bench they lie on."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from engarde_daemon.domain.generation import Failure, Finding, ItemState, JobSpec, Usage
from engarde_daemon.domain.twins import SignedAnswer
from engarde_daemon.ports.generation.credentials import CredentialBench
from engarde_daemon.ports.generation.jobs import JobKey

_UNWRITABLE = "It could not be written down: a value of it is none that the database can hold."


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What a model wrote for an item, as it is kept."""

    text: str
    model: str
    is_cut_off: bool = False


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An item that is this daemon's to work on, as long as its epoch stands.

    `is_final` says that its answer will not be written anew, whatever is wrong with it.
    """

    tenant_id: str
    job_id: str
    number: int
    epoch: int
    state: ItemState
    brand_id: str
    user_id: str
    spec: JobSpec
    is_cancelled: bool
    attempts: int
    rewrites: int
    answer: Written | None
    findings: list[Finding]
    cost_usd: Decimal | None
    is_final: bool = False

    @property
    def place(self) -> tuple[str, int]:
        """The item, whoever holds it."""
        return self.job_id, self.number


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to an item under its claim; the constructors below say what there is."""

    tenant_id: str
    job_id: str
    number: int
    epoch: int
    state: ItemState
    answer: Written | None = None
    findings: list[Finding] | None = None
    failure: Failure | None = None
    reason: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    paid: bool = False
    wait_s: float | None = None
    rewrite: bool = False
    burn: bool = False
    unsure: bool = False
    content_id: str | None = None
    size_bytes: int | None = None
    signature: bytes | None = None


def received(
    claim: Claim,
    answer: Written,
    *,
    usage: Usage | None,
    cost_usd: Decimal | None,
    signature: bytes | None = None,
    wait_s: float | None = None,
) -> Step:
    """A paid answer; with `wait_s`, one that whoever is free may store after so long."""
    counted = usage or Usage()
    return Step(
        **_claimed(claim),
        state=ItemState.RECEIVED,
        answer=answer,
        input_tokens=counted.input_tokens,
        output_tokens=counted.output_tokens,
        cost_usd=cost_usd,
        paid=True,
        wait_s=wait_s,
        signature=signature,
    )


def stored(claim: Claim, *, content_id: str, size_bytes: int, findings: Sequence[Finding]) -> Step:
    """A piece that is content now."""
    return Step(
        **_claimed(claim),
        state=ItemState.STORED,
        content_id=content_id,
        size_bytes=size_bytes,
        findings=list(findings),
    )


def failed(
    claim: Claim, failure: Failure, reason: str, *, findings: Sequence[Finding] = ()
) -> Step:
    """An item that will not be made."""
    return Step(
        **_claimed(claim),
        state=ItemState.FAILED,
        failure=failure,
        reason=reason[:500],
        findings=list(findings),
    )


def given_back(claim: Claim, *, wait_s: float, burn: bool, unsure: bool = False) -> Step:
    """An item to be called again after a while.

    `burn` counts the attempt; `unsure` says that nobody knows whether the call was charged.
    """
    return Step(**_claimed(claim), state=ItemState.PENDING, wait_s=wait_s, burn=burn, unsure=unsure)


def to_rewrite(claim: Claim, findings: Sequence[Finding]) -> Step:
    """An item that is to be written anew, with what was wrong about it."""
    return Step(
        **_claimed(claim),
        state=ItemState.PENDING,
        findings=list(findings),
        rewrite=True,
        wait_s=0.0,
    )


def kept_back(claim: Claim, *, wait_s: float) -> Step:
    """An answer that is to be stored later."""
    return Step(**_claimed(claim), state=ItemState.RECEIVED, wait_s=wait_s)


def set_aside(step: Step) -> tuple[Step, ...]:
    """What to write instead of a step that cannot be written, in the order in which to try.

    Content that is there stays the item's, without what was found about it. Anything else is an
    item that fails, with what it cost, or if that is what cannot be written, without.
    """
    if step.state is ItemState.STORED:
        return (msgspec.structs.replace(step, findings=[]),)
    bare = Step(
        tenant_id=step.tenant_id,
        job_id=step.job_id,
        number=step.number,
        epoch=step.epoch,
        state=ItemState.FAILED,
        failure=step.failure or Failure.NOT_STORED,
        reason=_UNWRITABLE,
        paid=step.paid,
    )
    paid = msgspec.structs.replace(
        bare,
        input_tokens=step.input_tokens,
        output_tokens=step.output_tokens,
        cost_usd=step.cost_usd,
    )
    return (paid, bare)


def _claimed(claim: Claim) -> dict[str, Any]:
    return {
        "tenant_id": claim.tenant_id,
        "job_id": claim.job_id,
        "number": claim.number,
        "epoch": claim.epoch,
    }


class WorkBench(CredentialBench, Protocol):
    """Claims on items, by lease and epoch, and what is written down under them."""

    async def claim(
        self, *, most: int, lease_s: float, caps: Mapping[str, int], closed: Sequence[str]
    ) -> list[Claim]:
        """Lease items that are due, fairly between tenants and within each provider's cap.

        Raises:
            Unavailable: PostgreSQL does not answer; what it claimed comes back with its lease.
        """

    async def recover(self, *, most: int, attempts_max: int, lease_s: float) -> list[Claim]:
        """Free what lost its holder, and lease the answers among it that are to be stored.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def extend(self, claims: Sequence[Claim], *, lease_s: float) -> list[Claim]:
        """Hold these longer; answers with those that are held still.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def note(self, steps: Sequence[Step]) -> Mapping[int, int | None]:
        """Write steps down in one transaction; answers for those that held, by their index.

        Where a step brought a signature, it is said which of its job's it became. A step that no
        row can hold is set aside for itself: its item fails, and it is not among those that held.

        Raises:
            Unavailable: PostgreSQL does not answer; whether they were written is not known.
        """

    async def signatures(self, places: Mapping[JobKey, int], *, most: int) -> list[SignedAnswer]:
        """What was answered for jobs after these places, in order, so many of each job at most.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def draw(self, sizes: Mapping[str, int]) -> None:
        """Take bytes out of what jobs hold, because they are about to be stored.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def end(self, *, most: int) -> list[str]:
        """End the jobs that are done; answers with their tenants, who have something to hear.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
