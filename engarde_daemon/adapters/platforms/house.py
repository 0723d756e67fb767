"""Every platform that has an API, by its name."""

import httpx

from engarde_daemon.domain.importing import Platform
from engarde_daemon.ports.platforms import (
    AdPlatform,
    PlatformFault,
    PlatformSecret,
    PlatformTrouble,
)


class HouseOfPlatforms:
    """The `PlatformHouse` port."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    def platform_of(self, platform: Platform, secret: PlatformSecret | None) -> AdPlatform:
        """See `PlatformHouse.platform_of`."""
        del secret
        told = (
            f"There is no credential for {platform}. Set one with PUT /api/credentials/{platform}."
        )
        raise PlatformFault(PlatformTrouble.LOCKED, told)

    async def close(self) -> None:
        """See `PlatformHouse.close`."""
        await self._client.aclose()
