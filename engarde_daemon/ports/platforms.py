"""What the daemon needs of ad platforms."""

from enum import StrEnum
from typing import Protocol

import msgspec

from engarde_daemon.domain.importing import CampaignAsset, DateRange, Figures, Platform


class PlatformTrouble(StrEnum):
    """What there is to do about a call that gave no answer."""

    BUSY = "busy"
    """Too much at the moment, or nobody there: the same call may work later."""
    LOCKED = "locked"
    """The credential is no good: nothing works until somebody changes that."""
    REJECTED = "rejected"
    """The question is wrong and will stay so, such as for a campaign that is not there."""


class PlatformFault(Exception):
    """A call gave no answer; `detail` may be shown to the tenant and holds no secret."""

    def __init__(
        self, trouble: PlatformTrouble, detail: str, *, after_s: float | None = None
    ) -> None:
        super().__init__(detail)
        self.trouble = trouble
        self.detail = detail
        self.after_s = after_s


class GoogleAdsSecret(msgspec.Struct, frozen=True, kw_only=True, tag="google_ads"):
    """How to reach an account of Google Ads; its representation does not show it."""

    client_id: str
    client_secret: str
    refresh_token: str
    customer_id: str
    login_customer_id: str | None = None

    def __repr__(self) -> str:
        """Keep the secrets out of logs and tracebacks."""
        return "GoogleAdsSecret()"


class MetaSecret(msgspec.Struct, frozen=True, kw_only=True, tag="meta"):
    """How to reach an ad account of Meta; its representation does not show it."""

    access_token: str
    account_id: str
    app_secret: str | None = None

    def __repr__(self) -> str:
        """Keep the secrets out of logs and tracebacks."""
        return "MetaSecret()"


PlatformSecret = GoogleAdsSecret | MetaSecret


class AssetPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some assets of a campaign, and where the next ones begin; None after the last.

    `wait_s` is how long the platform asks to be left alone before that.
    """

    assets: tuple[CampaignAsset, ...]
    cursor: str | None
    wait_s: float = 0.0


class FiguresPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some figures of a campaign, and where the next ones begin; None after the last.

    Where a report is not done yet, a page may be empty and go on later.
    """

    rows: tuple[Figures, ...]
    cursor: str | None
    wait_s: float = 0.0


class AdPlatform(Protocol):
    """One account on an ad platform. A cursor outlives the daemon, and may be used by another."""

    async def count(self, campaign_id: str) -> int:
        """About how many assets a campaign has.

        Raises:
            PlatformFault: There is no answer, or no such campaign.
        """

    async def assets(self, campaign_id: str, cursor: str | None) -> AssetPage:
        """A page of a campaign's assets; the same cursor gives the same page, give or take changes.

        Raises:
            PlatformFault: There is no answer, or no such campaign.
        """

    async def figures(self, campaign_id: str, days: DateRange, cursor: str | None) -> FiguresPage:
        """A page of a campaign's figures, by asset and day, by hour where the platform tells.

        Raises:
            PlatformFault: There is no answer.
        """

    async def locate(self, identity: str) -> str | None:
        """Where a picture or video can be had now; None where the platform does not tell.

        Raises:
            PlatformFault: There is no answer.
        """


class PlatformHouse(Protocol):
    """Knows every platform that has an API."""

    def platform_of(self, platform: Platform, secret: PlatformSecret | None) -> AdPlatform:
        """The platform, reached with a tenant's credential.

        Raises:
            PlatformFault: There is no credential for it.
        """

    async def close(self) -> None:
        """Close all connections."""
