"""What is asked of the database that knows all content and keeps it safe."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.content import BodyName, Change, Item
from engarde_daemon.domain.errors import EngardeError
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.likeness import Alike
from engarde_daemon.ports.lists import Sort, SortedPlace


class ContentKey(msgspec.Struct, frozen=True):
    """A content of a tenant: one without the other finds nothing."""

    tenant_id: str
    content_id: str


class VersionKey(msgspec.Struct, frozen=True):
    """One version of a content of a tenant."""

    tenant_id: str
    content_id: str
    version: int


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of an item, as a change starts from it."""

    item: Item
    legacy_body: str | None = None


class Replayed(msgspec.Struct, frozen=True):
    """This write was made before under the same idempotency key."""

    content_id: str
    version: int


class Moved(msgspec.Struct, frozen=True):
    """The item is at another version than the write started from."""

    current_version: int


Outcome = Item | Replayed | Moved | EngardeError


class ContentLog(Protocol):
    """The one place where content changes."""

    async def heads(self, keys: Sequence[ContentKey]) -> dict[ContentKey, Head]:
        """The present state of items, also of those in the trash, for those there are.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def versions(self, keys: Sequence[VersionKey]) -> dict[VersionKey, Item]:
        """Past states of items, for those there are.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def commit(self, writes: Sequence[Write], *, whole: bool = False) -> list[Outcome]:
        """Make all of these true in one transaction, except those that must be refused.

        No two writes may name the same content or the same idempotency key. With `whole`, one
        that must be refused keeps all others from being made, whatever their outcome says.

        Raises:
            Unavailable: PostgreSQL does not answer; whether the writes were made is not known.
        """


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the past, without its body."""

    item: Item
    change: Change


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An item as a reader gets it; `body` is None when another store must be asked for it."""

    item: Item
    backed_up: bool
    backed_up_at: datetime | None
    body: str | None
    versions: msgspec.Raw


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A page of items, and how many there are in all, where `is_capped` more than were counted.

    `ranks` says how well each item fits, in a list by relevance.
    """

    items: list[Item]
    backed_up: list[bool]
    ranks: list[float | None]
    total: int
    is_capped: bool


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which items of a brand are wanted; None means any."""

    types: list[str] | None = None
    statuses: list[str] | None = None
    campaign_space_id: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    words: str | None = None
    tags: list[str] | None = None

    def any(self) -> bool:
        """Whether anything is filtered at all."""
        return any(getattr(self, name) is not None for name in self.__struct_fields__)

    def kinds_only(self) -> bool:
        """Whether nothing but type and status is filtered, of which counters are kept."""
        return not msgspec.structs.replace(self, types=None, statuses=None).any()


class Place(msgspec.Struct, frozen=True):
    """Where a page of a list by creation starts: after this item."""

    created_at: datetime
    content_id: str


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant uses and has reserved, in items and bytes."""

    plan: str
    items: int
    content_bytes: int
    media_files: int
    media_bytes: int
    pending_bytes: int
    calculated_at: datetime
    by_type: dict[str, dict[str, int]]

    @property
    def used_bytes(self) -> int:
        """What counts against the plan."""
        return self.content_bytes + self.media_bytes


class ContentLibrary(Protocol):
    """What readers ask; each question names its tenant and sees nothing of another."""

    async def find(self, key: ContentKey) -> Found | None:
        """One live item with its history.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def find_version(self, key: ContentKey, version: int) -> Version | None:
        """One version as it was written.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def list_items(
        self,
        tenant_id: str,
        brand_id: str,
        *,
        filters: Filters,
        after: SortedPlace | None,
        size: int,
        skip: int,
        sort: Sort = Sort.NEWEST,
        trashed: bool = False,
    ) -> Listed:
        """A page of a brand; or of its trash, where neither filters nor sorts apply.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def list_alike(
        self,
        tenant_id: str,
        brand_id: str,
        *,
        alike: Sequence[Alike],
        filters: Filters,
        after: SortedPlace | None,
        size: int,
        skip: int,
    ) -> Listed:
        """A page of these contents, as far as they are the brand's and pass, the likest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def usage(self, tenant_id: str) -> Usage:
        """What the tenant uses.

        Raises:
            Unavailable: PostgreSQL does not answer.
            NotFound: The tenant has no usage row.
        """

    async def owns_brand(self, tenant_id: str, brand_id: str) -> bool:
        """Whether the brand is the tenant's.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Bodies(Protocol):
    """Where bodies are read, from the nearest place that has them."""

    def remember(self, item: Item, body: str) -> None:
        """Keep a body at hand that was just written."""

    async def of(self, item: Item) -> tuple[str, str]:
        """The body of an item and the place it came from.

        Raises:
            Unavailable: No place has it right now.
        """

    async def of_delivered(self, item: Item) -> tuple[str, str]:
        """The same of an item that was just seen not to be staged, and is not asked for there again.

        Raises:
            Unavailable: No place has it right now.
        """

    async def find(
        self, tenant_id: str, items: Sequence[Item], *, keep: bool = True
    ) -> dict[BodyName, str]:
        """Those of the bodies that are to be had, by name; also of several versions of a content.

        Whoever walks over everything does not `keep` them at hand, where readers have theirs.

        Raises:
            Unavailable: A place that must be asked does not answer.
        """

    async def of_many(self, tenant_id: str, items: Sequence[Item]) -> dict[str, str]:
        """The bodies of a page, by content id.

        Raises:
            Unavailable: One of them is nowhere to be had right now.
        """


Plans = dict[str, Plan]
