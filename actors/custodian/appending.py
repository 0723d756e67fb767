"""What is appended to an upload: bytes as they come, and how far whoever sends them is."""

from collections.abc import AsyncIterator

import msgspec

from actors.custodian.room import Room
from engarde_daemon.domain.resuming import Checksum, MoreThanAnnounced
from engarde_daemon.ports.resuming import ResumableUpload, UploadKey


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes as they come, the first of which is at this place of the file."""

    from_byte: int
    chunks: AsyncIterator[bytes]
    checksum: Checksum | None = None


class Appending(msgspec.Struct, kw_only=True):
    """Who appends, and how far they are."""

    upload: ResumableUpload
    key: UploadKey
    token: int
    room: Room
    offset: int
    part: int
    checksum: Checksum | None
    sizes: list[int]


async def measured(appending: Appending, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What comes, as long as it was announced and there is room for it.

    Raises:
        MoreThanAnnounced: It is more than the upload was announced with.
        NoRoom: The plan has none for it.
    """
    async for chunk in chunks:
        appending.offset += len(chunk)
        if appending.offset > appending.upload.length_bytes:
            raise MoreThanAnnounced(appending.upload.length_bytes)
        await appending.room.take(len(chunk))
        if appending.checksum is not None:
            appending.checksum.update(chunk)
        yield chunk
