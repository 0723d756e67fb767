"""What versions look like on the wire."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from engarde_daemon.api.content.chronicle import Account
from engarde_daemon.domain.history import Patch, Snapshot

VERSION_MAX = 2**31 - 1

Number = Annotated[int, Meta(ge=1, le=VERSION_MAX)]


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list of versions; the cursor is the last version of the page before."""

    cursor: Number | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    trashed: bool = False


class VersionQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of one version."""

    trashed: bool = False


class DiffQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a diff: against the version before, unless another is named."""

    against: Number | None = None
    trashed: bool = False


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version; its diff is null where the version before it is not kept."""

    version: int
    change_type: str
    changed_by: str
    changes_summary: str
    diff_from_previous: Patch | None
    created_at: datetime
    content_snapshot: Snapshot | UnsetType = UNSET


class HistoryPagination(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How the next page is asked for."""

    has_next: bool
    next_cursor: str | None


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of versions, the newest first."""

    data: list[VersionView]
    pagination: HistoryPagination


def version_view_of(account: Account) -> VersionView:
    """One version as a client sees it."""
    version = account.version
    return VersionView(
        version=version.item.version,
        change_type=version.change.type.value,
        changed_by=version.change.by,
        changes_summary=account.compared.summary,
        diff_from_previous=account.compared.patch,
        created_at=version.item.updated_at,
    )
