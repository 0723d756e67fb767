"""What Google Ads may answer on a bad day, and what is made of it."""

from datetime import date
from typing import Any

import pytest

from engarde_daemon.domain.importing import DateRange
from engarde_daemon.ports.platforms import AdPlatform, PlatformFault, PlatformTrouble
from engarde_daemon.testing.platforms import FakeGoogleAds, Trouble

CAMPAIGN = "5001"
AD = "customers/1234567890/adGroupAds/2~3"
JANUARY = DateRange(start=date(2026, 1, 1), end=date(2026, 1, 7))


def figures(**told: Any) -> dict[str, Any]:
    """A day of the ad."""
    return {
        "adGroupAd": {"resourceName": AD},
        "segments": {"date": told.pop("date", "2026-01-02")},
        "metrics": {"impressions": "1", **told},
    }


async def test_an_answer_that_ends_in_an_error_is_none(
    google: FakeGoogleAds, google_account: AdPlatform
):
    """Its status and its first rows were good; the rest would be missing and nobody would know."""
    google.rows["campaign"] = [{"campaign": {"resourceName": "customers/1/campaigns/5001"}}]
    google.rows["ad_group_ad"] = [
        {"adGroupAd": {"resourceName": f"{AD}{n}", "status": "ENABLED"}} for n in range(4)
    ]
    await google_account.count(CAMPAIGN)  # with a token that the next question has already
    google.troubles.append(Trouble.LATE)

    with pytest.raises(PlatformFault, match="It is INTERNAL") as fault:
        await google_account.assets(CAMPAIGN, None)

    assert fault.value.trouble is PlatformTrouble.BUSY
    assert len((await google_account.assets(CAMPAIGN, None)).assets) == 4


@pytest.mark.parametrize(
    "told",
    [
        {"date": "2026-01-05x"},
        {"conversionsValue": "NaN"},
        {"conversionsValue": "Infinity"},
        {"impressions": "99999999999999999999"},
        {"costMicros": "99999999999999999999"},
    ],
)
async def test_figures_that_are_none_are_a_fault_of_the_platform(
    google: FakeGoogleAds, google_account: AdPlatform, told: dict[str, Any]
):
    """And never one of the importer, which would die of it each time it came to this import."""
    google.rows["figures"] = [figures(**told)]

    with pytest.raises(PlatformFault, match="not in the form"):
        await google_account.figures(CAMPAIGN, JANUARY, None)


@pytest.mark.parametrize("start", [date(9999, 12, 30), date(9999, 12, 20)])
async def test_figures_may_be_asked_up_to_the_last_day_there_is(
    google_account: AdPlatform, start: date
):
    """After which no week begins."""
    days, cursor = DateRange(start=start, end=date.max), None
    for _ in range(3):
        page = await google_account.figures(CAMPAIGN, days, cursor)
        cursor = page.cursor
        if cursor is None:
            break

    assert cursor is None
