"""Everything about jobs on one database, below the actors."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.generation import PostgresJobBook, PostgresWorkBench
from engarde_daemon.adapters.postgres.job_library import PostgresJobLibrary
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.generation import Mode, Usage
from engarde_daemon.ports.generation import (
    Claim,
    Job,
    JobDraft,
    JobKey,
    Made,
    Retried,
    Written,
    received,
    stored,
)
from tests.support.database import PLANS, Tenant
from tests.support.jobs import spec

CAPS = {"template": 50, "openai": 2}
MONTH = date(2026, 11, 1)
ANSWER = Written(text="An answer.", model="m")


class Works:
    """Everything about jobs on one database."""

    def __init__(self, sessions: Sessions, sql: asyncpg.Connection) -> None:
        self.sql = sql
        self.book = PostgresJobBook(sessions.writers, PLANS)
        self.bench = PostgresWorkBench(sessions.writers, PLANS)
        self.library = PostgresJobLibrary(sessions.readers)
        self.ledger = PostgresLedgerBook(sessions.writers, PLANS)

    async def job(self, tenant: Tenant, count: int = 3, **other: Any) -> JobKey:
        """A job that was made."""
        draft = draft_of(tenant, count, **other)
        assert await self.book.create(draft, most=10) is Made.CREATED
        return JobKey(tenant.id, draft.id)

    async def claim(
        self, most: int = 50, *, lease_s: float = 30.0, caps: Mapping[str, int] = CAPS
    ) -> list[Claim]:
        """Claims on what is due."""
        claims = await self.bench.claim(most=most, lease_s=lease_s, caps=caps, closed=[])
        return sorted(claims, key=lambda claim: (claim.job_id, claim.number))

    async def store(self, claims: list[Claim], cost: str | None = "0.5") -> None:
        """Bring claimed items to their good end."""
        usd = None if cost is None else Decimal(cost)
        used = Usage(input_tokens=3, output_tokens=5)
        await self.bench.note([received(c, ANSWER, usage=used, cost_usd=usd) for c in claims])
        await self.bench.draw({claim.job_id: 10 for claim in claims})
        await self.bench.note(
            [stored(c, content_id=new_id(), size_bytes=10, findings=[]) for c in claims]
        )

    async def read(self, key: JobKey) -> Job:
        """A job as it stands."""
        job = await self.library.job(key)
        assert job is not None
        return job

    async def held(self, tenant: Tenant) -> tuple[int, int, int]:
        """The bytes and pieces that are held, and the pieces that are used."""
        row = await self.sql.fetchrow(
            "select (select pending_bytes from content_storage_usage where tenant_id = $1),"
            " coalesce(sum(pending_items), 0)::int, coalesce(sum(used_items), 0)::int"
            " from engarde.generation_usage where tenant_id = $1",
            tenant.id,
        )
        assert await self.ledger.drift([tenant.id]) == []
        return tuple(row)

    async def pass_time(self) -> None:
        """Let every lease run out."""
        await self.sql.execute("update engarde.generation_items set leased_until = '-infinity'")

    async def expire(self, key: JobKey) -> None:
        """Let a job's time be over."""
        await self.sql.execute(
            "update content_generation_jobs set expires_at = '-infinity' where id = $1", key.job_id
        )


def draft_of(tenant: Tenant, count: int = 3, **other: Any) -> JobDraft:
    """A job about to be made."""
    given: dict[str, Any] = {
        "id": new_id(),
        "brand_id": tenant.brand_id,
        "user_id": tenant.user_id,
        "item_cost_usd": Decimal(1),
        "max_cost_usd": None,
        "preview_items": None,
        "fingerprint": "f",
        "provider": "template",
        **other,
    }
    mode = given.pop("mode", Mode.DIRECT)
    job = spec(target_count=count, provider=given["provider"], mode=mode)
    return JobDraft(
        tenant_id=tenant.id,
        job_type="batch",
        target_count=count,
        content_type="post",
        generation_params=msgspec.to_builtins(job.params),
        spec=job,
        model="m",
        period=MONTH,
        item_bytes=10,
        hold_s=3600.0,
        **given,
    )


def key_of(claim: Claim) -> JobKey:
    """The job of a claim."""
    return JobKey(claim.tenant_id, claim.job_id)


async def retry(works: Works, key: JobKey, max_cost_usd: Decimal | None = None) -> Retried:
    """A wish to try what failed again, in the month that it is."""
    return await works.book.retry(
        key,
        period=datetime.now(UTC).date().replace(day=1),
        hold_s=3600,
        max_cost_usd=max_cost_usd,
        most=10,
    )
