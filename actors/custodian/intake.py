"""How a file is taken in: from a caller, or from wherever else its bytes come.

Owns the order of steps. What the file is, is known before anything is written; its intent is
written before its bytes are stored; its room is promised before each of them; one transaction makes
it a file. Whatever goes wrong before that leaves an intent that was given up, and the curator
removes what was stored for it.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TypeVar

import anyio
import msgspec

from actors.custodian.cuts import beheaded, whole
from actors.custodian.messages import BeginUpload, CustodianMessage, GiveUpUpload, KeepUpload
from actors.custodian.room import LOST, NoRoom, Room
from actors.ledger.messages import LedgerMessage
from engarde_daemon.core import ActorError, Address, Request
from engarde_daemon.domain.errors import (
    Conflict,
    EngardeError,
    FieldError,
    Invalid,
    NotFound,
    QuotaExceeded,
)
from engarde_daemon.domain.media import (
    KINDS,
    FileTooLarge,
    TypeRefused,
    UploadLost,
    disposition_of,
    file_name_of,
    second_nature,
    storage_path_of,
    type_of,
)
from engarde_daemon.domain.plans import Plan, plan_named, upgrade_suggestion
from engarde_daemon.failpoints import (
    CUSTODIAN_AFTER_INTENT,
    CUSTODIAN_AFTER_KEEP,
    CUSTODIAN_AFTER_STORE,
)
from engarde_daemon.ports.content import ContentLibrary
from engarde_daemon.ports.media import (
    Attempt,
    Beginning,
    Keeping,
    MediaStore,
    NewMedia,
    Promise,
    Sniffer,
)

GIVE_UP_S = 10.0

R = TypeVar("R")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it comes: whose it shall be, and what its sender says of it."""

    media_id: str
    tenant_id: str
    brand_id: str
    user_id: str
    content_id: str | None = None
    file_name: str | None = None
    claimed_type: str | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is in; `is_new` is false where a file of its id was there before."""

    media_id: str
    sha256: str
    is_new: bool


class IntakeRules(msgspec.Struct, frozen=True, kw_only=True):
    """How large a file may be, and how long each part of taking it in may last."""

    file_bytes_max: int
    upload_limit_s: float
    lease_s: float = 120.0
    ask_timeout_s: float = 20.0


class Intake:
    """Takes files in."""

    def __init__(
        self,
        *,
        store: MediaStore,
        custodian: Address[CustodianMessage],
        ledger: Address[LedgerMessage],
        library: ContentLibrary,
        plans: Mapping[str, Plan],
        sniff: Sniffer,
        rules: IntakeRules,
        new_id: Callable[[], str],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._custodian = custodian
        self._ledger = ledger
        self._library = library
        self._plans = plans
        self._sniff = sniff
        self._rules = rules
        self._new_id = new_id
        self._clock = clock

    async def take_in(
        self,
        delivery: Delivery,
        chunks: AsyncIterator[bytes],
        *,
        promises: Sequence[Promise] = (),
    ) -> Taken:
        """Keep a file, in room that was promised to it before as far as there is such.

        Raises:
            Invalid: It is empty.
            TypeRefused: It is of no type that is kept, or was called another.
            FileTooLarge: It is larger than any may be.
            QuotaExceeded: The plan has no room for it.
            UploadLost: It took too long.
            NotFound: Its brand, or the content it is for, is not there.
            Conflict: Another upload of the same file is under way.
            Unavailable: A store does not answer.
        """
        try:
            with anyio.fail_after(self._rules.upload_limit_s):
                return await self._take_in(delivery, chunks, promises)
        except TimeoutError:
            raise UploadLost(LOST) from None

    def type_of(self, head: bytes, claimed_type: str | None) -> str:
        """The type of a file that begins like this.

        Raises:
            Invalid: It is empty.
            TypeRefused: It is of no type that is kept, or was called another.
        """
        if not head:
            raise Invalid([FieldError("file", "is empty")])
        mime_type = type_of(self._sniff(head), claimed_type)
        other = second_nature(mime_type, head, b"")
        if other is not None:
            raise TypeRefused(f"The file is {other} at the same time.")
        return mime_type

    async def no_room(self, tenant_id: str, refusal: NoRoom) -> QuotaExceeded:
        """What a tenant is told whose plan has no room for so many bytes more."""
        usage = await self._library.usage(tenant_id)
        plan = plan_named(usage.plan, self._plans)
        used = usage.used_bytes + usage.pending_bytes
        needed = used + refusal.wanted_bytes
        return QuotaExceeded(
            plan,
            used_bytes=used,
            wanted_bytes=refusal.wanted_bytes,
            suggestion=upgrade_suggestion(plan, self._plans.values(), needed),
        )

    async def _take_in(
        self, delivery: Delivery, chunks: AsyncIterator[bytes], promises: Sequence[Promise]
    ) -> Taken:
        head, rest = await beheaded(chunks)
        mime_type = self.type_of(head, delivery.claimed_type)
        attempt = self._attempt(delivery)
        begun = await self._ask(BeginUpload(attempt=attempt, lease_s=self._rules.lease_s))
        if begun is Beginning.BUSY:
            raise Conflict("Another upload with this Idempotency-Key is under way. Wait for it.")
        if begun is Beginning.KEPT:
            return await self._compare(delivery, head, rest)
        room = self._room_of(attempt, promises)
        try:
            return await self._store_and_keep(
                delivery, room, whole(head, rest), mime_type=mime_type
            )
        except BaseException:
            await self._give_up(attempt)
            raise

    async def _store_and_keep(
        self,
        delivery: Delivery,
        room: Room,
        chunks: AsyncIterator[bytes],
        *,
        mime_type: str,
    ) -> Taken:
        attempt = room.attempt
        gauge = _Gauge(self._rules.file_bytes_max)
        await CUSTODIAN_AFTER_INTENT.reached()
        try:
            await self._store.put(
                attempt.storage_path,
                gauge.measured(chunks, room),
                headers=_headers_of(delivery, mime_type),
            )
        except NoRoom as refusal:
            raise await self.no_room(delivery.tenant_id, refusal) from None
        await CUSTODIAN_AFTER_STORE.reached()
        file = self._file_of(delivery, attempt, gauge, mime_type=mime_type)
        kept = await self._ask(KeepUpload(attempt=attempt, file=file, promises=room.promises))
        if kept is Keeping.GONE:
            raise NotFound("The brand or content that the file is for is not there any more.")
        if kept is Keeping.LOST:
            raise UploadLost(LOST)
        await CUSTODIAN_AFTER_KEEP.reached()
        return Taken(media_id=file.id, sha256=file.sha256, is_new=True)

    def _room_of(self, attempt: Attempt, promises: Sequence[Promise]) -> Room:
        return Room(
            attempt,
            self._custodian,
            self._ledger,
            new_id=self._new_id,
            clock=self._clock,
            lease_s=self._rules.lease_s,
            lasts_s=self._rules.upload_limit_s + self._rules.lease_s,
            timeout_s=self._rules.ask_timeout_s,
            promises=promises,
        )

    def _attempt(self, delivery: Delivery) -> Attempt:
        upload_id = self._new_id()
        return Attempt(
            upload_id=upload_id,
            media_id=delivery.media_id,
            tenant_id=delivery.tenant_id,
            storage_path=storage_path_of(delivery.tenant_id, upload_id),
        )

    async def _compare(self, delivery: Delivery, head: bytes, rest: AsyncIterator[bytes]) -> Taken:
        """Find out which file comes, without keeping it again."""
        digest = hashlib.sha256()
        async for chunk in whole(head, rest):
            digest.update(chunk)
        return Taken(media_id=delivery.media_id, sha256=digest.hexdigest(), is_new=False)

    def _file_of(
        self, delivery: Delivery, attempt: Attempt, gauge: "_Gauge", *, mime_type: str
    ) -> NewMedia:
        return NewMedia(
            id=delivery.media_id,
            tenant_id=delivery.tenant_id,
            brand_id=delivery.brand_id,
            user_id=delivery.user_id,
            content_id=delivery.content_id,
            file_name=file_name_of(delivery.file_name),
            file_type=KINDS[mime_type].value,
            mime_type=mime_type,
            file_size_bytes=gauge.size,
            sha256=gauge.sha256,
            storage_provider=self._store.provider.value,
            storage_path=attempt.storage_path,
        )

    async def _give_up(self, attempt: Attempt) -> None:
        with anyio.CancelScope(shield=True), anyio.move_on_after(GIVE_UP_S):
            try:
                await self._ask(GiveUpUpload(attempt=attempt))
            except (ActorError, EngardeError):
                return  # its lease runs out, and the curator gives it up

    async def _ask(self, request: Request[R]) -> R:
        return await self._custodian.ask(request, timeout_s=self._rules.ask_timeout_s)


class _Gauge:
    """Measures what goes by, and lets no more of it go by than there is room for."""

    def __init__(self, most: int) -> None:
        self.size = 0
        self._most = most
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The fingerprint of what went by."""
        return self._digest.hexdigest()

    async def measured(self, chunks: AsyncIterator[bytes], room: Room) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.size += len(chunk)
            if self.size > self._most:
                raise FileTooLarge(self._most)
            await room.take(len(chunk))
            self._digest.update(chunk)
            yield chunk


def _headers_of(delivery: Delivery, mime_type: str) -> dict[str, str]:
    """What a browser is told that gets the file from its store itself: never to run it."""
    file_name = file_name_of(delivery.file_name)
    return {
        "Content-Type": mime_type,
        "Content-Disposition": disposition_of(KINDS[mime_type], file_name),
        "Cache-Control": "private, max-age=86400, immutable",
    }
