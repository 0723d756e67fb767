"""Items, versions and usage made anew in an empty PostgreSQL, from what the archive keeps.

Owns the rule that nothing is mixed: a database that has content is refused. Versions come in page
by page, and items appear with their counters in one transaction at the end, so that a run that was
cut off is simply repeated.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.rows import naive
from engarde_daemon.domain.content import Details, preview_of, record_id
from engarde_daemon.domain.errors import Conflict
from engarde_daemon.domain.snapshots import ContentSnapshot
from sql import statements

LOST_FOR_GOOD = (
    "API keys and roles: make new keys with `engarde keys create`",
    "names and plans of tenants: set plans with `engarde tenants set-plan`",
    "names of brands, addresses of users, who is a member of which brand",
    "voices of brands, campaign spaces, webhooks and their secrets",
    "events, the audit log, receipts of erasures",
    "idempotency keys: a repeated request is done again",
    "reservations, and what was generated this month",
    "media files' records",
    "full text: search finds nothing of a content until it is written again",
    "versions that had not reached the archive; `engarde verify` names those that ZeroDB has",
)

_SQL = statements("rebuilding")
_ADMINISTRATION = statements("administration")
_TAKEN_APART = frozenset({"scheduled_at", "published_at"})


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What there is again.

    `gaps` are versions before which one is missing, `damaged` those whose body in the archive is not
    the one that was acknowledged.
    """

    tenants: int
    items: int
    versions: int
    bytes: int
    gaps: int
    damaged: int
    not_rebuilt: Sequence[str] = LOST_FOR_GOOD


class Rebuilding:
    """One rebuild, on a connection of the user that migrates."""

    def __init__(self, link: asyncpg.Connection) -> None:
        self._link = link
        self._damaged = 0

    async def ensure_empty(self) -> None:
        """Go on only where no content is.

        Raises:
            Conflict: There is content.
            Unavailable: PostgreSQL does not answer.
        """
        with translated():
            is_empty = await self._link.fetchval(_SQL["is_empty"])
        if not is_empty:
            raise Conflict(
                "The database has content already, and nothing may be mixed into it. Name an empty "
                "database in [postgres] dsn, or another directory with --data-dir."
            )

    async def take(self, snapshots: Sequence[ContentSnapshot]) -> None:
        """Take in versions; those that are there already are left as they are.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        self._damaged += sum(not snapshot.is_intact() for snapshot in snapshots)
        rows = msgspec.json.encode([_row_of(snapshot) for snapshot in snapshots]).decode()
        async with self._transaction():
            for name in ("add_tenants", "add_brands", "add_users"):
                await self._link.execute(_SQL[name], rows)
            await self._link.execute(_ADMINISTRATION["become_actor"])
            await self._link.execute(_SQL["add_versions"], rows)
            await self._link.execute(_SQL["owe_archive_nothing"])

    async def finish(self) -> Rebuilt:
        """Make items and counters of the versions, and tell what there is.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        async with self._transaction():
            await self._link.execute(_ADMINISTRATION["become_actor"])
            for name in ("find_carriers", "add_items", "count_items", "add_usage"):
                await self._link.execute(_SQL[name])
            row = await self._link.fetchrow(_SQL["rebuilt"])
        return Rebuilt(**dict(row), damaged=self._damaged)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        with translated():
            async with self._link.transaction():
                yield


def _row_of(snapshot: ContentSnapshot) -> dict[str, Any]:
    """A row of `engarde.content_versions`."""
    return {
        "tenant_id": snapshot.tenant_id,
        "content_id": snapshot.content_id,
        "version": snapshot.version,
        "body_version": snapshot.version,
        "zerodb_id": record_id(snapshot.content_id, snapshot.version),
        "brand_id": snapshot.brand_id,
        "user_id": snapshot.user_id,
        "campaign_space_id": snapshot.campaign_space_id,
        "title": snapshot.title,
        "content_type": snapshot.content_type,
        "status": snapshot.status,
        "details": {n: v for n, v in snapshot.metadata.items() if n in Details.__struct_fields__},
        "preview": preview_of(snapshot.content_body),
        "size_bytes": snapshot.storage_metadata["size_bytes"],
        "body_sha256": snapshot.sha256,
        **{name: _moment(snapshot.metadata.get(name)) for name in _TAKEN_APART},
        "change_type": snapshot.change_type,
        "changed_by": snapshot.changed_by,
        "changes_summary": snapshot.changes_summary,
        "content_created_at": naive(snapshot.content_created_at),
        "created_at": naive(snapshot.content_updated_at),
        "deleted_at": naive(snapshot.deleted_at),
    }


def _moment(text: str | None) -> datetime | None:
    return naive(datetime.fromisoformat(text)) if text else None
