"""Where the bytes of media files are, who keeps their books, and how they are examined."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

import msgspec

from engarde_daemon.domain.media import MediaFile, MediaProperties, StorageProvider
from engarde_daemon.ports.content import Place

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Span(msgspec.Struct, frozen=True):
    """The bytes of a file from `start` up to, but not including, `end`."""

    start: int
    end: int


class MediaStore(Protocol):
    """Bytes by their path. A path is written once and by one writer."""

    @property
    def provider(self) -> StorageProvider:
        """Who keeps the bytes."""

    async def put(
        self, path: str, chunks: AsyncIterator[bytes], *, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """Keep what comes; when this returns it outlives a power cut.

        The headers are for whoever gets it from the store itself, where that is possible.

        Raises:
            Unavailable: The store does not answer, or is full; nothing readable is left.
        """

    def get(self, path: str, span: Span | None = None) -> AsyncIterator[bytes]:
        """The bytes of a span, or all of them, in pieces.

        Raises:
            Corrupt: There are no such bytes.
            Unavailable: The store does not answer.
        """

    async def signed_url(self, path: str, *, for_s: float) -> str | None:
        """Where the bytes can be had from the store itself for some time, if they can.

        Raises:
            Unavailable: The store's credentials cannot be had, or may not sign.
        """

    async def delete(self, paths: Sequence[str]) -> None:
        """Forget paths and what attempts at them left; those that are not there count as gone.

        Raises:
            Unavailable: The store does not answer.
        """

    async def clear(self, folder: str) -> None:
        """Forget everything below a path.

        Raises:
            Unavailable: The store does not answer.
        """

    def list(self, prefix: str) -> AsyncIterator[str]:
        """The paths below a prefix.

        Raises:
            Unavailable: The store does not answer.
        """


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """The intent to keep a file, written down before its first byte is stored."""

    upload_id: str
    media_id: str
    tenant_id: str
    storage_path: str


class NewMedia(msgspec.Struct, frozen=True, kw_only=True):
    """A file whose bytes are stored, about to be kept."""

    id: str
    tenant_id: str
    brand_id: str
    user_id: str
    content_id: str | None
    file_name: str
    file_type: str
    mime_type: str
    file_size_bytes: int
    sha256: str
    storage_provider: str
    storage_path: str


class Promise(msgspec.Struct, frozen=True):
    """Room that was reserved for an upload under this id."""

    reservation_id: str
    amount_bytes: int


class Beginning(StrEnum):
    """What became of the intent to keep a file."""

    BEGUN = "begun"
    KEPT = "kept"  # a file of this id is there already
    BUSY = "busy"  # another upload of it is under way


class Keeping(StrEnum):
    """What became of a whole upload."""

    KEPT = "kept"
    LOST = "lost"  # it was given up in the meantime, or its room was
    GONE = "gone"  # the content or brand it was for is not there any more


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A file to examine, claimed under a token."""

    id: str
    tenant_id: str
    storage_path: str
    mime_type: str
    file_size_bytes: int
    attempts: int
    lease_token: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What an examination found: properties, or why the file cannot be kept."""

    properties: MediaProperties = MediaProperties()
    thumbnail: bytes | None = None
    failure: str | None = None


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """An upload that was given up, or whose file was deleted: its bytes must go."""

    upload_id: str
    storage_path: str
    in_parts: bool = False


class MediaBook(Protocol):
    """The books of media files. Every step is one transaction."""

    async def begin(self, attempt: Attempt, *, lease_s: float) -> Beginning:
        """Write an intent down, before anything is stored at its path.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def extend(self, attempt: Attempt, reservation_id: str | None, *, lease_s: float) -> bool:
        """Prolong an intent, and note room about to be reserved for it; False if it was given up.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def keep(self, attempt: Attempt, file: NewMedia, promises: Sequence[Promise]) -> Keeping:
        """Turn an intent into a file, and the room reserved for it into room used.

        Raises:
            Unavailable: PostgreSQL does not answer; whether it was done is not known.
        """

    async def give_up(self, attempt: Attempt) -> None:
        """End an intent that came to nothing, and give its room back.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def delete(self, tenant_id: str, media_id: str) -> bool:
        """Forget a file and give its room back; its bytes follow. False if there is none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class MediaRounds(Protocol):
    """What is to be done with stored bytes, claimed so that no two daemons do it at once."""

    async def claim_cases(self, most: int, *, lease_s: float) -> list[Case]:
        """Take files that wait for their examination; one that broke it too often fails.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def settle_case(self, case: Case, finding: Finding) -> bool:
        """Write down what was found; False if another daemon has the case by now.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def defer_case(self, case: Case, *, after_s: float) -> None:
        """Give a case back that could not be examined now.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def give_up_overdue(self, most: int) -> int:
        """End intents whose writer has not been heard of, and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def claim_leftovers(self, most: int, *, lease_s: float) -> list[Leftover]:
        """Take uploads whose bytes must go. None of them can be kept any more.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def settle_leftovers(self, leftovers: Sequence[Leftover]) -> None:
        """Note that their bytes were removed. They come again later: a late writer may be left.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class MediaLibrary(Protocol):
    """Reads of media files."""

    async def find(self, tenant_id: str, media_ids: Sequence[str]) -> dict[str, MediaFile]:
        """Those of these files that are the tenant's, by id.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def page(
        self, tenant_id: str, brand_ids: Sequence[str] | None, *, after: Place | None, size: int
    ) -> list[MediaFile]:
        """Files of these brands, or of all, the newest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Sniffer(Protocol):
    """Says what bytes look like."""

    def __call__(self, head: bytes) -> str | None:
        """The media type of a file that begins like this, or None."""


class Examiner(Protocol):
    """Looks into files where that can harm nobody."""

    async def examine(self, case: Case) -> Finding:
        """Open a file as what it claims to be.

        Raises:
            Corrupt: The bytes are not there.
            Unavailable: The store does not answer.
        """


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A file on its way from somewhere else. Its type is told from its bytes alone."""

    chunks: AsyncIterator[bytes]
    file_name: str | None


class MediaSource(Protocol):
    """Fetches what a tenant's URL names."""

    def open(self, url: str) -> AbstractAsyncContextManager[Download]:
        """Begin to fetch a file.

        Raises:
            Rejected: The URL leads where it may not, or its server gives no file for it.
            Retryable: Its server does not answer now, or asks to come later.
        """
