"""How a file is taken in bit by bit, over as many requests, days and lives of a daemon as it takes.

Owns two rules. What a caller is told to be stored is stored: a part is written down once its bytes
outlive a power cut, and not before. And only the last who came to append may: whoever came before
has an outdated token, and finds at the end of a part that it counts for nothing.

Parts become a file in the way of every upload, with an intent of its own, and take the room along
that was promised to them.
"""

from collections.abc import AsyncIterator, Callable

import anyio
import msgspec

from actors.custodian.appending import Appending, Batch, measured
from actors.custodian.cuts import Cuts, beheaded, whole
from actors.custodian.intake import Delivery, Intake
from actors.custodian.messages import CustodianMessage
from actors.custodian.room import NoRoom, Room
from actors.ledger.messages import LedgerMessage
from engarde_daemon.core import Address
from engarde_daemon.domain.errors import Corrupt, Exhausted, NotFound, Rejected
from engarde_daemon.domain.media import HEAD_BYTES, FileGone, FileTooLarge, UploadLost
from engarde_daemon.domain.resuming import (
    PART_BYTES,
    PARTS_MAX,
    OffsetMismatch,
    UploadTaken,
    part_path,
)
from engarde_daemon.ports.media import Attempt, MediaStore
from engarde_daemon.ports.resuming import (
    ResumableBook,
    ResumableLibrary,
    ResumableUpload,
    UploadKey,
    Waits,
)

NO_UPLOAD = "There is no such upload. Begin another one."
KEPT = "kept"
REFUSED = "refused"


class ResumptionRules(msgspec.Struct, frozen=True, kw_only=True):
    """How large an upload may be, how many a tenant may have, and how long each thing may last."""

    file_bytes_max: int
    waits_s: float
    upload_limit_s: float
    join_lease_s: float = 30.0
    ask_timeout_s: float = 20.0
    open_max: int = 1000
    part_bytes: int = PART_BYTES

    @property
    def waits(self) -> Waits:
        """The same for the books: room outlasts the longest wait and the joining after it."""
        return Waits(
            waits_s=self.waits_s,
            promised_s=self.waits_s + 2 * self.upload_limit_s,
            joined_s=self.join_lease_s,
        )


class Resumption:
    """Takes uploads on, bit by bit."""

    def __init__(
        self,
        *,
        book: ResumableBook,
        library: ResumableLibrary,
        store: MediaStore,
        intake: Intake,
        custodian: Address[CustodianMessage],
        ledger: Address[LedgerMessage],
        rules: ResumptionRules,
        new_id: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._book = book
        self._library = library
        self._store = store
        self._intake = intake
        self._custodian = custodian
        self._ledger = ledger
        self._rules = rules
        self._new_id = new_id
        self._clock = clock

    async def open(self, upload: ResumableUpload) -> None:
        """Begin an upload.

        Raises:
            FileTooLarge: It is announced larger than any may be.
            Exhausted: The tenant has too many under way.
            Unavailable: PostgreSQL does not answer.
        """
        if upload.length_bytes > self._rules.file_bytes_max:
            raise FileTooLarge(self._rules.file_bytes_max)
        most = self._rules.open_max
        if not await self._book.open(upload, lasts_s=self._rules.waits_s, most=most):
            raise Exhausted(f"{most} uploads are under way. Finish or delete some of them first.")

    async def find(self, key: UploadKey) -> ResumableUpload:
        """An upload as it stands.

        Raises:
            NotFound: It was given up, or never begun.
            Unavailable: PostgreSQL does not answer.
        """
        upload = await self._library.find(key)
        if upload is None:
            raise NotFound(NO_UPLOAD)
        return upload

    async def append(self, upload: ResumableUpload, batch: Batch) -> None:
        """Store what comes, and make a file of the upload when that was the last of it.

        What was stored before something went wrong stays, but for a batch with a checksum.

        Raises:
            OffsetMismatch: It is at another byte.
            UploadTaken: Someone else went on with it in the meantime.
            MoreThanAnnounced: More comes than it was announced with.
            ChecksumMismatch: What came is not what was sent.
            FileGone: It is whole, and its file was refused.
            QuotaExceeded: The plan has no room for it.
            Unavailable: A store does not answer.
            EngardeError: Its file is refused; see `Intake.take_in`.
        """
        appending = await self._begin(upload, batch)
        with anyio.move_on_after(self._rules.upload_limit_s):
            await self._store_parts(appending, await self._checked(upload, batch))
        if appending.offset == upload.length_bytes and upload.outcome is None:
            await self.join(upload)

    async def join(self, upload: ResumableUpload) -> None:
        """Make a file of an upload whose parts are all there.

        Raises:
            Conflict: Another daemon is at it.
            Unavailable: A store does not answer; it is tried again later.
            EngardeError: The file is refused; see `Intake.take_in`.
        """
        key = UploadKey(upload.tenant_id, upload.id)
        lasts_s = self._rules.waits_s + self._rules.upload_limit_s
        if await self._book.hold(key, from_byte=upload.length_bytes, lasts_s=lasts_s) is None:
            raise UploadTaken
        promises = await self._book.promises(key)
        try:
            await self._intake.take_in(
                _delivery_of(upload), self._joined(upload, key), promises=promises
            )
        except (Rejected, Exhausted, UploadLost, Corrupt) as refusal:
            await self._book.end(key, outcome=REFUSED, failure=refusal.detail)
            raise
        await self._book.end(key, outcome=KEPT, failure=None)

    async def end(self, key: UploadKey) -> None:
        """Forget an upload that is under way, and give its room back.

        Raises:
            NotFound: There is none.
            Unavailable: PostgreSQL does not answer.
        """
        if not await self._book.end(key, outcome=None, failure=None):
            raise NotFound(NO_UPLOAD)

    async def _begin(self, upload: ResumableUpload, batch: Batch) -> Appending:
        if upload.failure is not None:
            raise FileGone(upload.failure)
        if batch.from_byte != upload.offset_bytes:
            raise OffsetMismatch(upload.offset_bytes)
        key = UploadKey(upload.tenant_id, upload.id)
        token = await self._book.hold(key, from_byte=batch.from_byte, lasts_s=self._rules.waits_s)
        if token is None:
            raise OffsetMismatch((await self.find(key)).offset_bytes)
        return Appending(
            upload=upload,
            key=key,
            token=token,
            room=await self._room(upload, key),
            offset=batch.from_byte,
            part=upload.parts,
            checksum=batch.checksum,
            sizes=[],
        )

    async def _checked(self, upload: ResumableUpload, batch: Batch) -> AsyncIterator[bytes]:
        """What comes, once its beginning was found to be of a file that is kept."""
        if batch.from_byte:
            return batch.chunks
        head, rest = await beheaded(batch.chunks)
        if len(head) >= min(HEAD_BYTES, upload.length_bytes):
            self._intake.type_of(head, upload.claimed_type)
        return whole(head, rest)

    async def _store_parts(self, appending: Appending, chunks: AsyncIterator[bytes]) -> None:
        cuts = Cuts(chunks, self._rules.part_bytes)
        while await cuts.are_left():
            await self._store_part(appending, cuts.next())
            if appending.checksum is None:
                await self._note(appending)
        if appending.checksum is not None:
            appending.checksum.check()
            await self._note(appending)

    async def _store_part(self, appending: Appending, chunks: AsyncIterator[bytes]) -> None:
        appending.part += 1
        if appending.part > PARTS_MAX:
            raise Exhausted(
                f"An upload may come in {PARTS_MAX} pieces. Begin again, with larger ones."
            )
        began = appending.offset
        path = part_path(appending.upload.storage_path, appending.part, appending.token)
        try:
            await self._store.put(path, measured(appending, chunks))
        except NoRoom as refusal:
            raise await self._intake.no_room(appending.key.tenant_id, refusal) from None
        appending.sizes.append(appending.offset - began)

    async def _note(self, appending: Appending) -> None:
        sizes, appending.sizes = appending.sizes, []
        if not sizes:
            return
        waits = self._rules.waits
        if not await self._book.advance(appending.key, appending.token, sizes, waits=waits):
            raise UploadTaken

    async def _room(self, upload: ResumableUpload, key: UploadKey) -> Room:
        return Room(
            Attempt(
                upload_id=upload.id,
                media_id=upload.id,
                tenant_id=upload.tenant_id,
                storage_path=upload.storage_path,
            ),
            self._custodian,
            self._ledger,
            new_id=self._new_id,
            clock=self._clock,
            lease_s=self._rules.waits_s,
            lasts_s=self._rules.waits.promised_s,
            timeout_s=self._rules.ask_timeout_s,
            promises=await self._book.promises(key),
            used=upload.offset_bytes,
            most=upload.length_bytes,
        )

    async def _joined(self, upload: ResumableUpload, key: UploadKey) -> AsyncIterator[bytes]:
        for part in await self._book.parts(key):
            path = part_path(upload.storage_path, part.number, part.token)
            async for piece in self._store.get(path):
                yield piece


def _delivery_of(upload: ResumableUpload) -> Delivery:
    return Delivery(
        media_id=upload.id,
        tenant_id=upload.tenant_id,
        brand_id=upload.brand_id,
        user_id=upload.user_id,
        content_id=upload.content_id,
        file_name=upload.file_name,
        claimed_type=upload.claimed_type,
    )
