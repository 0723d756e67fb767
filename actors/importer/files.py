"""The pictures and videos of an asset become files of ours.

Owns that each is fetched once: a file has an id that follows from what its platform calls it, and
one whose bytes are here already is that file. Addresses of platforms are signed and die soon, so one
that is refused is asked for anew before it counts as gone.
"""

from weakref import WeakValueDictionary

import anyio

from actors.custodian.intake import Delivery, Intake
from actors.importer.keys import PlatformKeys
from engarde_daemon.domain.errors import Conflict, Rejected, Retryable
from engarde_daemon.domain.importing import CampaignAsset, MediaReference, Platform
from engarde_daemon.ports.importing import ImportBench, ImportClaim
from engarde_daemon.ports.media import MediaSource
from engarde_daemon.ports.platforms import PlatformFault, PlatformTrouble

BUSY_S = 2.0


class FileTaker:
    """Fetches files, each by one at a time."""

    def __init__(
        self, bench: ImportBench, keys: PlatformKeys, *, source: MediaSource, intake: Intake
    ) -> None:
        self._bench = bench
        self._keys = keys
        self._source = source
        self._intake = intake
        self._locks: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    async def take(self, claim: ImportClaim, asset: CampaignAsset) -> tuple[str, ...]:
        """The ids of an asset's files, in its order; one that its platform gives nobody is left out.

        Raises:
            Rejected: A file cannot be fetched, or is none that is kept.
            Exhausted: The plan has no room for it.
            Retryable: It cannot be had now.
        """
        ids = [await self._file(claim, one) for one in asset.media]
        return tuple(dict.fromkeys(one for one in ids if one is not None))

    async def _file(self, claim: ImportClaim, reference: MediaReference) -> str | None:
        media_id = claim.origin.media_id(reference.identity)
        lock = self._locks.setdefault(media_id, anyio.Lock())
        async with lock:
            here = await self._bench.files(claim.origin, [reference.identity])
            if reference.identity in here:
                return here[reference.identity]
            if not await self._is_fetched(claim, reference, media_id):
                return None
            return await self._bench.adopt(claim.origin, reference.identity, media_id)

    async def _is_fetched(
        self, claim: ImportClaim, reference: MediaReference, media_id: str
    ) -> bool:
        if reference.url is not None:
            try:
                await self._fetch(claim, reference.url, media_id)
            except Rejected:
                fresh = await self._located(claim, reference)
                if fresh in {None, reference.url}:
                    raise
                await self._fetch(claim, str(fresh), media_id)
            return True
        url = await self._located(claim, reference)
        if url is not None:
            await self._fetch(claim, url, media_id)
        return url is not None

    async def _fetch(self, claim: ImportClaim, url: str, media_id: str) -> None:
        async with self._source.open(url) as download:
            delivery = Delivery(
                media_id=media_id,
                tenant_id=claim.origin.tenant_id,
                brand_id=claim.origin.brand_id,
                user_id=claim.user_id,
                file_name=download.file_name,
            )
            try:
                await self._intake.take_in(delivery, download.chunks)
            except Conflict as error:  # a daemon that died held it, or time ran out
                raise Retryable(error.detail, after_s=BUSY_S) from error

    async def _located(self, claim: ImportClaim, reference: MediaReference) -> str | None:
        if claim.origin.platform is Platform.FILE:
            return None
        try:
            platform = await self._keys.platform_of(claim.origin.tenant_id, claim.origin.platform)
            return await platform.locate(reference.identity)
        except PlatformFault as fault:
            if fault.trouble is PlatformTrouble.REJECTED:
                return None
            raise Retryable(fault.detail, after_s=fault.after_s or BUSY_S) from fault
