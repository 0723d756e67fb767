"""What may be said to the ingest actor: one request a write."""

from typing import TypeAlias

import msgspec

from engarde_daemon.core import Request
from engarde_daemon.domain.changes import Draft, Idempotency, Patch
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.content import Replayed


class Written(msgspec.Struct, frozen=True):
    """A version that is committed; `body` is None when it kept the one it had."""

    item: Item
    body: str | None


class CreateContent(Request[Written | Replayed], frozen=True, kw_only=True):
    """Make a new item."""

    tenant_id: str
    brand_id: str
    user_id: str
    draft: Draft
    idempotency: Idempotency | None = None


class UpdateContent(Request[Written], frozen=True, kw_only=True):
    """Change an item, at any version or only at the expected one."""

    tenant_id: str
    content_id: str
    user_id: str
    patch: Patch
    expected_version: int | None = None


class DeleteContent(Request[Written], frozen=True, kw_only=True):
    """Put an item into the trash, at any version or only at the expected one."""

    tenant_id: str
    content_id: str
    user_id: str
    expected_version: int | None = None


class RestoreVersion(Request[Written], frozen=True, kw_only=True):
    """Give an item the content of one of its past versions, at any version or the expected one."""

    tenant_id: str
    content_id: str
    user_id: str
    version: int
    expected_version: int | None = None


class UndeleteContent(Request[Written], frozen=True, kw_only=True):
    """Take an item out of the trash; its room is asked for again."""

    tenant_id: str
    content_id: str
    user_id: str
    expected_version: int | None = None


ChangeMessage: TypeAlias = UpdateContent | DeleteContent | RestoreVersion | UndeleteContent
IngestMessage: TypeAlias = CreateContent | ChangeMessage
