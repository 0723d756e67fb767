"""What may be said to the ingest actor: one request a write, or one for many writes."""

from typing import Generic, TypeAlias, TypeVar

import msgspec

from engarde_daemon.core import Request
from engarde_daemon.domain.changes import Draft, Idempotency, Patch
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import EngardeError
from engarde_daemon.domain.tracing import present_trace
from engarde_daemon.domain.transfer import Parcel
from engarde_daemon.ports.content import Replayed

R_co = TypeVar("R_co", covariant=True)


class _Write(Request[R_co], Generic[R_co], frozen=True, kw_only=True):
    """A write, and the traced request that it came with, if it came with one."""

    trace: str | None = msgspec.field(default_factory=present_trace)


class Written(msgspec.Struct, frozen=True):
    """A version that is committed; `body` is None when it kept the one it had.

    `is_new` is false where there was nothing to do, or it was done for an earlier request.
    """

    item: Item
    body: str | None
    is_new: bool = True


class CreateContent(_Write[Written | Replayed], frozen=True, kw_only=True):
    """Make a new item."""

    tenant_id: str
    brand_id: str
    user_id: str
    draft: Draft
    idempotency: Idempotency | None = None


class ImportContent(_Write[Written], frozen=True, kw_only=True):
    """Take in an item from elsewhere, unless it was taken in before or came from here."""

    tenant_id: str
    brand_id: str
    user_id: str
    parcel: Parcel


class UpdateContent(_Write[Written], frozen=True, kw_only=True):
    """Change an item, at any version or only at the expected one.

    With `if_different` no version is made where the patch would change nothing.
    """

    tenant_id: str
    content_id: str
    user_id: str
    patch: Patch
    expected_version: int | None = None
    if_different: bool = False


class RetagContent(_Write[Written], frozen=True, kw_only=True):
    """Put tags on an item and take others off, where that makes a difference."""

    tenant_id: str
    content_id: str
    user_id: str
    add: tuple[str, ...]
    remove: tuple[str, ...]
    expected_version: int | None = None


class DeleteContent(_Write[Written], frozen=True, kw_only=True):
    """Put an item into the trash, at any version or only at the expected one."""

    tenant_id: str
    content_id: str
    user_id: str
    expected_version: int | None = None


class RestoreVersion(_Write[Written], frozen=True, kw_only=True):
    """Give an item the content of one of its past versions, at any version or the expected one."""

    tenant_id: str
    content_id: str
    user_id: str
    version: int
    expected_version: int | None = None


class UndeleteContent(_Write[Written], frozen=True, kw_only=True):
    """Take an item out of the trash; its room is asked for again."""

    tenant_id: str
    content_id: str
    user_id: str
    expected_version: int | None = None


ChangeMessage: TypeAlias = (
    UpdateContent | RetagContent | DeleteContent | RestoreVersion | UndeleteContent
)
WriteMessage: TypeAlias = CreateContent | ImportContent | ChangeMessage


class CreateMany(Request[list[Written]], frozen=True, kw_only=True):
    """Make all of these items in one transaction, or none of them."""

    creations: tuple[CreateContent, ...]


class WriteMany(Request[list[Written | EngardeError]], frozen=True, kw_only=True):
    """Do each of these for itself, and answer each."""

    writes: tuple[WriteMessage, ...]


IngestMessage: TypeAlias = WriteMessage | CreateMany | WriteMany
