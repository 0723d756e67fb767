"""The credentials with which platforms are reached.

Owns their opening: nobody else sees them, and none is kept for longer than it is trusted.
"""

import msgspec

from engarde_daemon.domain.errors import Corrupt
from engarde_daemon.domain.importing import Platform
from engarde_daemon.ports.importing import ImportBench
from engarde_daemon.ports.platforms import (
    AdPlatform,
    PlatformFault,
    PlatformHouse,
    PlatformSecret,
    PlatformTrouble,
)
from engarde_daemon.ports.secrets import SealedKey, SecretBox

_SECRET: msgspec.json.Decoder[PlatformSecret] = msgspec.json.Decoder(PlatformSecret)


class PlatformKeys:
    """Opens credentials, and platforms with them."""

    def __init__(self, bench: ImportBench, box: SecretBox, house: PlatformHouse) -> None:
        self._bench = bench
        self._box = box
        self._house = house

    async def platform_of(self, tenant_id: str, platform: Platform) -> AdPlatform:
        """The platform, reached with the tenant's credential.

        Raises:
            PlatformFault: There is no credential, or it cannot be opened.
            Unavailable: PostgreSQL does not answer.
        """
        return self._house.platform_of(
            platform, self._opened(await self.key_of(tenant_id, platform))
        )

    async def key_of(self, tenant_id: str, platform: Platform) -> SealedKey:
        """The tenant's credential as it is now.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        return await self._bench.key(tenant_id, platform)

    async def pause(self, key: SealedKey, reason: str) -> None:
        """Use a credential no more; one that was set after it is not touched.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        await self._bench.pause(key, reason)

    def _opened(self, key: SealedKey) -> PlatformSecret | None:
        if key.sealed is None:
            return None
        try:
            text = self._box.open(key.sealed, key.purpose)
        except Corrupt as error:
            raise PlatformFault(PlatformTrouble.LOCKED, error.detail) from error
        return _SECRET.decode(text)
