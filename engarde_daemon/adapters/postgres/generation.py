"""Generation on PostgreSQL: written as `engarde_actor`, claims by lease and epoch."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.plan_limits import PlanLimits
from engarde_daemon.adapters.postgres.steps import noted
from engarde_daemon.domain.generation import Finding, ItemState, JobSpec
from engarde_daemon.domain.plans import Plan
from engarde_daemon.domain.twins import SignedAnswer
from engarde_daemon.ports.generation import Claim, JobDraft, JobKey, Made, Retried, Step, Written
from engarde_daemon.ports.secrets import SealedKey
from sql import statements

SPECS_MAX = 100

_SQL = statements("generation")
_SPEC = msgspec.json.Decoder(JobSpec)
_WRITTEN = msgspec.json.Decoder(Written)
_FINDINGS = msgspec.json.Decoder(list[Finding])


class PostgresJobBook:
    """The `JobBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        self._limits = PlanLimits(plans)

    async def create(self, draft: JobDraft, *, most: int) -> Made:
        """See `JobBook.create`."""
        return Made(await self._value("create", _json(draft), most, *self._limits))

    async def cancel(self, key: JobKey) -> bool | None:
        """See `JobBook.cancel`."""
        cancelled: bool | None = await self._value(
            "cancel", key.tenant_id, key.job_id, *self._limits
        )
        return cancelled

    async def approve(self, key: JobKey) -> bool | None:
        """See `JobBook.approve`."""
        approved: bool | None = await self._value("approve", key.tenant_id, key.job_id)
        return approved

    async def retry(
        self, key: JobKey, *, period: date, hold_s: float, max_cost_usd: Decimal | None, most: int
    ) -> Retried:
        """See `JobBook.retry`."""
        given = (period, hold_s, max_cost_usd, most, *self._limits)
        return Retried(await self._value("retry", key.tenant_id, key.job_id, *given))

    async def put_credential(
        self, tenant_id: str, provider: str, *, sealed: bytes, base_url: str | None, by: str
    ) -> None:
        """See `JobBook.put_credential`."""
        await self._value("put_credential", tenant_id, provider, sealed, base_url, by)

    async def remove_credential(self, tenant_id: str, provider: str) -> bool:
        """See `JobBook.remove_credential`."""
        return await self._value("remove_credential", tenant_id, provider) is not None

    async def _value(self, name: str, *given: object) -> Any:
        with translated():
            return await self._writers.fetchval(_SQL[name], *given)


class PostgresWorkBench:
    """The `WorkBench` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool, plans: Mapping[str, Plan]) -> None:
        self._writers = writers
        self._limits = PlanLimits(plans)
        self._specs = _Specs()

    async def claim(
        self, *, most: int, lease_s: float, caps: Mapping[str, int], closed: Sequence[str]
    ) -> list[Claim]:
        """See `WorkBench.claim`."""
        known = self._specs.known()
        with translated():
            rows = await self._writers.fetch(
                _SQL["claim"], most, lease_s, _json(caps), list(closed), list(known), None
            )
            waiting = {row["job_id"] for row in rows if row["job_status"] == "pending"}
            if waiting:
                await self._writers.execute(_SQL["begin"], list(waiting))
        return self._specs.claims(rows, known)

    async def recover(self, *, most: int, attempts_max: int, lease_s: float) -> list[Claim]:
        """See `WorkBench.recover`."""
        known, bounds = self._specs.known(), (most, attempts_max, lease_s)
        with translated():
            rows = await self._writers.fetch(_SQL["recover"], *bounds, list(known), None)
        return self._specs.claims(rows, known)

    async def extend(self, claims: Sequence[Claim], *, lease_s: float) -> list[Claim]:
        """See `WorkBench.extend`."""
        held = [
            {
                "tenant_id": claim.tenant_id,
                "job_id": claim.job_id,
                "number": claim.number,
                "epoch": claim.epoch,
            }
            for claim in claims
        ]
        with translated():
            rows = await self._writers.fetch(_SQL["extend"], _json(held), lease_s)
        return [claims[row[0] - 1] for row in rows]

    async def note(self, steps: Sequence[Step]) -> dict[int, int | None]:
        """See `WorkBench.note`."""
        return await noted(steps, self._note)

    async def _note(self, steps: Sequence[Step]) -> dict[int, int | None]:
        with translated():
            rows = await self._writers.fetch(_SQL["note"], _json(steps))
        return {row["slot"] - 1: row["answer_place"] for row in rows}

    async def signatures(self, places: Mapping[JobKey, int], *, most: int) -> list[SignedAnswer]:
        """See `WorkBench.signatures`."""
        tenants, jobs = [key.tenant_id for key in places], [key.job_id for key in places]
        with translated():
            rows = await self._writers.fetch(
                _SQL["signatures"], tenants, jobs, list(places.values()), most
            )
        return [SignedAnswer(*row) for row in rows]

    async def draw(self, sizes: Mapping[str, int]) -> None:
        """See `WorkBench.draw`."""
        with translated():
            await self._writers.execute(_SQL["draw"], list(sizes), list(sizes.values()))

    async def end(self, *, most: int) -> list[str]:
        """See `WorkBench.end`."""
        with translated():
            rows = await self._writers.fetch(_SQL["end"], most, *self._limits, None)
        return [row[0] for row in rows]

    async def key(self, tenant_id: str, provider: str) -> SealedKey:
        """See `WorkBench.key`."""
        with translated():
            row = await self._writers.fetchrow(_SQL["key"], tenant_id, provider)
        return SealedKey(tenant_id, provider, row["sealed"] if row else None)

    async def pause(self, key: SealedKey, reason: str) -> None:
        """See `WorkBench.pause`."""
        told = (key.tenant_id, key.provider, key.sealed, reason[:300])
        with translated():
            await self._writers.execute(_SQL["pause"], *told)


class _Specs:
    """What jobs ask for, read once: a spec never changes."""

    def __init__(self) -> None:
        self._known: dict[str, JobSpec] = {}

    def known(self) -> Mapping[str, JobSpec]:
        """The jobs whose spec need not come again."""
        return dict(self._known)

    def claims(self, rows: Sequence[Any], known: Mapping[str, JobSpec]) -> list[Claim]:
        """The claims in rows, of which those of known jobs hold no spec."""
        specs = dict(known)
        for row in rows:
            if row["spec"] is not None and row["job_id"] not in specs:
                specs[row["job_id"]] = _SPEC.decode(row["spec"])
        self._known = dict(list(specs.items())[-SPECS_MAX:])
        return [claim_of(row, specs[row["job_id"]]) for row in rows]


def claim_of(row: Mapping[str, Any], spec: JobSpec) -> Claim:
    """A claimed item of a job that asks for this."""
    return Claim(
        tenant_id=row["tenant_id"],
        job_id=row["job_id"],
        number=row["number"],
        epoch=row["epoch"],
        state=ItemState(row["state"]),
        brand_id=row["brand_id"],
        user_id=row["user_id"],
        spec=spec,
        is_cancelled=row["job_status"] == "cancelled",
        attempts=row["attempts"],
        rewrites=row["rewrites"],
        answer=_WRITTEN.decode(row["answer"]) if row["answer"] else None,
        findings=findings_of(row["findings"]),
        cost_usd=row["cost_usd"],
        is_final=row["is_final"],
    )


def findings_of(text: str | None) -> list[Finding]:
    """The findings in a row."""
    return _FINDINGS.decode(text) if text else []


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
