"""Both platforms on this machine, and the house that reaches them."""

from collections.abc import AsyncIterator

import anyio
import pytest

from engarde_daemon.adapters.http import Gate, open_client
from engarde_daemon.adapters.platforms.house import HouseOfPlatforms, Sites
from engarde_daemon.domain.importing import Platform
from engarde_daemon.ports.platforms import AdPlatform, GoogleAdsSecret, MetaSecret
from engarde_daemon.testing.models.serving import serving
from engarde_daemon.testing.platforms import FakeGoogleAds, FakeMeta
from engarde_daemon.testing.platforms.google_ads import CLIENT, REFRESH_TOKEN
from engarde_daemon.testing.platforms.google_ads import VERSION as GOOGLE_VERSION
from engarde_daemon.testing.platforms.meta import APP_SECRET, TOKEN
from engarde_daemon.testing.platforms.meta import VERSION as META_VERSION


@pytest.fixture
def meta() -> FakeMeta:
    """Meta, with nothing in it."""
    return FakeMeta()


@pytest.fixture
def google() -> FakeGoogleAds:
    """Google Ads, with nothing in it but the campaign and its account."""
    google = FakeGoogleAds()
    google.rows["customer"] = [{"customer": {"currencyCode": "EUR", "timeZone": "Europe/Berlin"}}]
    return google


@pytest.fixture
async def house(meta: FakeMeta, google: FakeGoogleAds) -> AsyncIterator[HouseOfPlatforms]:
    """What an importer has."""
    async with serving(meta) as meta_url, serving(google) as google_url:
        sites = Sites(
            google_ads_url=f"{google_url}/{GOOGLE_VERSION}",
            google_token_url=f"{google_url}/token",
            google_timeout_s=20.0,
            meta_url=f"{meta_url}/{META_VERSION}",
            meta_timeout_s=20.0,
            report_wait_s=1.0,
        )
        client = open_client(Gate(allow_private=True), connections=4)
        house = HouseOfPlatforms(client, sites, clock=anyio.current_time)
        yield house
        await house.close()


@pytest.fixture
def meta_account(house: HouseOfPlatforms) -> AdPlatform:
    """The account at Meta."""
    secret = MetaSecret(access_token=TOKEN, account_id="act_42", app_secret=APP_SECRET)
    return house.platform_of(Platform.META, secret)


@pytest.fixture
def google_account(house: HouseOfPlatforms) -> AdPlatform:
    """The account at Google."""
    secret = GoogleAdsSecret(
        client_id=CLIENT["client_id"],
        client_secret=CLIENT["client_secret"],
        refresh_token=REFRESH_TOKEN,
        customer_id="123-456-7890",
    )
    return house.platform_of(Platform.GOOGLE_ADS, secret)
