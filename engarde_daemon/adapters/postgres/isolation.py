"""The proof, before anything is served, that one tenant cannot reach another's rows.

Owns the refusal to start on a database whose row level security has a hole: a policy that is
missing or changed, a table that does not enforce it, a role that could see past it.
"""

import asyncpg

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.errors import EngardeError
from sql import statements

GUARDED_TABLES = (
    "public.campaign_assets",
    "public.campaign_spaces",
    "public.content_generation_jobs",
    "public.content_items",
    "public.content_storage_usage",
    "engarde.api_keys",
    "engarde.archive_backfill",
    "engarde.archive_dues",
    "engarde.archive_parked",
    "engarde.audit_log",
    "engarde.brand_voices",
    "engarde.content_counts",
    "engarde.content_search",
    "engarde.content_versions",
    "engarde.credentials",
    "engarde.erasures",
    "engarde.events",
    "engarde.generation_items",
    "engarde.generation_usage",
    "engarde.idempotency_keys",
    "engarde.import_items",
    "engarde.import_jobs",
    "engarde.import_media",
    "engarde.media_files",
    "engarde.media_uploads",
    "engarde.outbox",
    "engarde.performance_keys",
    "engarde.removals",
    "engarde.provider_batches",
    "engarde.reservations",
    "engarde.resumable_uploads",
    "engarde.search_heads",
    "engarde.search_languages",
    "engarde.staged_bodies",
    "engarde.upload_parts",
    "engarde.webhook_deliveries",
    "engarde.webhooks",
    "engarde.write_traces",
)

_SQL = statements("schema")
_GUARD = "tenant_id=current_setting'app.tenant_id',true"


class IsolationBroken(EngardeError):
    """Tenants are not safely apart in this database."""

    type_ = "isolation_broken"
    title = "Row level security is not in force"

    def __init__(self, faults: list[str]) -> None:
        super().__init__(
            f"Tenants are not safely apart: {'; '.join(faults)}. Mend this, then start again."
        )
        self.faults = faults


async def faults(pool: asyncpg.Pool) -> list[str]:
    """Every hole in the isolation of tenants, in words.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    with translated():
        rows = await pool.fetch(_SQL["role_faults"])
        rows += await pool.fetch(_SQL["table_faults"], list(GUARDED_TABLES), _GUARD)
        rows += await pool.fetch(_SQL["function_faults"])
    return [f"{row['subject']} {row['fault']}" for row in rows]


async def ensure(readers: asyncpg.Pool) -> None:
    """Refuse to go on where tenants could see each other.

    Raises:
        IsolationBroken: There is a hole; the error names all of them.
        Unavailable: PostgreSQL does not answer.
    """
    found = await faults(readers)
    with translated():
        session = await readers.fetchrow(_SQL["session_role"])
    if session["role"] != "engarde_api" or not session["read_only"]:
        found.append(f"readers run as {session['role']} instead of as read-only engarde_api")
    if found:
        raise IsolationBroken(found)
