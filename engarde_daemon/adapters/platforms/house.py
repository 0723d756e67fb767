"""Every platform that has an API, by its name."""

from collections.abc import Callable

import httpx
import msgspec

from engarde_daemon.adapters.platforms.google_ads.platform import GoogleAds
from engarde_daemon.adapters.platforms.google_ads.searching import Search
from engarde_daemon.adapters.platforms.google_ads.tokens import Tokens
from engarde_daemon.adapters.platforms.meta.graph import Graph
from engarde_daemon.adapters.platforms.meta.platform import Meta
from engarde_daemon.adapters.platforms.wire import PlatformWire
from engarde_daemon.domain.importing import Platform
from engarde_daemon.ports.platforms import (
    AdPlatform,
    GoogleAdsSecret,
    MetaSecret,
    PlatformFault,
    PlatformSecret,
    PlatformTrouble,
)


class Sites(msgspec.Struct, frozen=True, kw_only=True):
    """Where platforms are, and how long a call to each may take."""

    google_ads_url: str
    google_token_url: str
    google_timeout_s: float
    meta_url: str
    meta_timeout_s: float
    report_wait_s: float


class HouseOfPlatforms:
    """The `PlatformHouse` port."""

    def __init__(
        self, client: httpx.AsyncClient, sites: Sites, *, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._sites = sites
        self._google = PlatformWire(client, "Google Ads", timeout_s=sites.google_timeout_s)
        self._meta = PlatformWire(client, "Meta", timeout_s=sites.meta_timeout_s)
        self._tokens = Tokens(self._google, sites.google_token_url, clock=clock)

    def platform_of(self, platform: Platform, secret: PlatformSecret | None) -> AdPlatform:
        """See `PlatformHouse.platform_of`."""
        sites = self._sites
        match secret:
            case GoogleAdsSecret():
                url = sites.google_ads_url
                return GoogleAds(Search(self._google, self._tokens, secret, base_url=url))
            case MetaSecret():
                graph = Graph(self._meta, sites.meta_url, secret)
                return Meta(graph, secret.account_id, report_wait_s=sites.report_wait_s)
            case None:
                where = f"Set one with PUT /api/credentials/{platform}."
                told = f"There is no credential for {platform}. {where}"
                raise PlatformFault(PlatformTrouble.LOCKED, told)

    async def close(self) -> None:
        """See `PlatformHouse.close`."""
        await self._client.aclose()
