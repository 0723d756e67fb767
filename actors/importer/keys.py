"""The credentials with which platforms are reached.

Owns their opening: nobody else sees them, and none is kept for longer than it is trusted.
"""

import msgspec

from actors.generation.credentials import purpose_of
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
from engarde_daemon.ports.secrets import SecretBox

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
        sealed = await self._bench.secret(tenant_id, platform)
        return self._house.platform_of(platform, self._opened(tenant_id, platform, sealed))

    async def pause(self, tenant_id: str, platform: Platform, reason: str) -> None:
        """Use a credential no more, until somebody sets it anew.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        await self._bench.pause(tenant_id, platform, reason)

    def _opened(
        self, tenant_id: str, platform: Platform, sealed: bytes | None
    ) -> PlatformSecret | None:
        if sealed is None:
            return None
        try:
            text = self._box.open(sealed, purpose_of(tenant_id, platform))
        except Corrupt as error:
            raise PlatformFault(PlatformTrouble.LOCKED, error.detail) from error
        return _SECRET.decode(text)
