"""The books of uploads that can be resumed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from engarde_daemon.ports.media import Promise


class ResumableUpload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that comes bit by bit; `outcome` is `kept` or `refused` once it is over."""

    id: str
    tenant_id: str
    brand_id: str
    user_id: str
    content_id: str | None
    file_name: str | None
    claimed_type: str | None
    storage_path: str
    length_bytes: int
    offset_bytes: int = 0
    parts: int = 0
    outcome: str | None = None
    failure: str | None = None
    expires_at: datetime | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every byte of it is stored."""
        return self.offset_bytes == self.length_bytes


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some bytes of an upload; `token` is of who stored them."""

    number: int
    token: int
    size_bytes: int


class UploadKey(msgspec.Struct, frozen=True):
    """Which upload, and whose."""

    tenant_id: str
    upload_id: str


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How long things wait: an upload for its next byte, room for its file, a whole one for help."""

    waits_s: float
    promised_s: float
    joined_s: float


class ResumableBook(Protocol):
    """The books of uploads that can be resumed. Every step is one transaction."""

    async def open(self, upload: ResumableUpload, *, lasts_s: float, most: int) -> bool:
        """Begin an upload; False if the tenant has so many under way already.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def hold(self, key: UploadKey, *, from_byte: int, lasts_s: float) -> int | None:
        """Let nobody append any more but who has the token that this answers with.

        None if the upload is over, is not there, or is at another byte.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def promises(self, key: UploadKey) -> list[Promise]:
        """The room that is promised to an upload.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def advance(
        self, key: UploadKey, token: int, sizes: Sequence[int], *, waits: Waits
    ) -> bool:
        """Note parts that are stored; False if someone else has the token, or the upload is over.

        Raises:
            Unavailable: PostgreSQL does not answer; whether it was done is not known.
        """

    async def parts(self, key: UploadKey) -> list[Part]:
        """What is stored of an upload, in order.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def end(self, key: UploadKey, *, outcome: str | None, failure: str | None) -> bool:
        """End an upload that is under way; its parts are to go. False if there is none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def claim_whole(self, most: int, *, lease_s: float) -> list[UploadKey]:
        """Take uploads that are whole, and that nobody made a file of for some time.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class ResumableLibrary(Protocol):
    """Reads of uploads that can be resumed."""

    async def find(self, key: UploadKey) -> ResumableUpload | None:
        """An upload that is under way or is over; one that was given up is not there.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
