"""What `engarde retention` does: the steward's chores, one after the other, until nothing is left."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import msgspec

from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.cli import database
from engarde_daemon.cli.performing import perform
from engarde_daemon.config import Settings
from engarde_daemon.ports.retention import Expired, Retention

ITEMS_AT_ONCE = 100
PAGES_AT_ONCE = 500
RETENTION = "retention"

T = TypeVar("T")


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """How much was forgotten."""

    trashed_items: int
    old_versions: int
    media_files: int


def expired(settings: Settings) -> list[Expired]:
    """What would go now.

    Raises:
        CannotStartError: There is no database yet, or it cannot start.
        Unavailable: The database cannot be reached.
    """
    return _with_retention(settings, lambda retention: retention.report())


def expire(settings: Settings) -> Gone:
    """Forget all that is past its plan's days.

    Raises:
        CannotStartError: There is no database yet, or it cannot start.
        Unavailable: The database cannot be reached; what went stays gone, the rest goes next time.
    """
    return _with_retention(settings, partial(run_out, now=datetime.now(UTC)))


async def run_out(retention: Retention, *, now: datetime) -> Gone:
    """Do each chore until it finds nothing; items first, so that their files follow at once.

    Raises:
        Unavailable: PostgreSQL does not answer.
    """
    return Gone(
        trashed_items=await _expire_trash(retention),
        old_versions=await _trim(retention),
        media_files=await _expire_media(retention, now),
    )


async def _expire_trash(retention: Retention) -> int:
    gone = 0
    while keys := await retention.expired_trash(ITEMS_AT_ONCE):
        for key in keys:
            erased = await retention.erase(
                key, erasure_id=str(uuid.uuid4()), by=RETENTION, reason="retention"
            )
            gone += erased is not None
    return gone


async def _trim(retention: Retention) -> int:
    """The walk that is under way to its end, and then one through all of them."""
    gone, walks = 0, 0
    while walks < 2:
        look = await retention.trim_versions(PAGES_AT_ONCE)
        gone += look.trimmed
        walks += look.is_through
    return gone


async def _expire_media(retention: Retention, now: datetime) -> int:
    gone = 0
    while (look := await retention.expire_media(ITEMS_AT_ONCE, unseen_since=now)).looked_at:
        gone += look.expired
    return gone


def _with_retention(settings: Settings, job: Callable[[Retention], Awaitable[T]]) -> T:
    return perform(partial(_reached, settings, job))


async def _reached(settings: Settings, job: Callable[[Retention], Awaitable[T]]) -> T:
    async with database.sessions(settings) as sessions:
        return await job(PostgresRetention(sessions.writers, settings.catalogue()))
