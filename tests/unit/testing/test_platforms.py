"""The fake ad platforms tell what was asked for, and nothing that the real ones would refuse."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from engarde_daemon.testing.platforms import FakeGoogleAds, FakeMeta, Trouble
from engarde_daemon.testing.platforms.google_ads import CLIENT, REFRESH_TOKEN
from engarde_daemon.testing.platforms.meta import APP_SECRET, TOKEN
from engarde_daemon.testing.platforms.server import Asked, Refused

AD = {"adGroupAd": {"resourceName": "customers/1/adGroupAds/2~3", "status": "ENABLED"}}


def asked(method: str, path: str, body: bytes = b"", **headers: str) -> Asked:
    """A request."""
    return Asked(method=method, path=path, query={}, headers={"host": "x", **headers}, body=body)


def token_of(google: FakeGoogleAds) -> str:
    """A token that is good now."""
    form = {**CLIENT, "grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
    return str(google.answer(asked("POST", "/token", urlencode(form).encode()))["access_token"])


def searched(google: FakeGoogleAds, query: str, *, token: str, **more: Any) -> Any:
    """The rows that answer a query."""
    path = f"/v26/customers/{google.customer_id}/googleAds:searchStream"
    body = json.dumps({"query": query, **more}).encode()
    parts = google.answer(asked("POST", path, body, authorization=token))
    return [row for part in parts for row in part["results"]]


def test_google_tells_the_fields_that_were_selected():
    """And the name of the resource, always; what is not set is absent."""
    google = FakeGoogleAds()
    google.rows["ad_group_ad"] = [AD]
    query = "SELECT ad_group_ad.ad.id FROM ad_group_ad WHERE ad_group_ad.status != 'REMOVED'"
    rows = searched(google, query, token=f"Bearer {token_of(google)}")

    assert rows == [{"adGroupAd": {"resourceName": AD["adGroupAd"]["resourceName"]}}]


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("SELECT campaign.start_date FROM campaign", {}),
        ("SELECT metrics.resource_name FROM ad_group_ad", {}),
        ("SELECT campaign.id FROM campaign WHERE campaign.name LIKE 'x'", {}),
        ("SELECT campaign.id FROM campaign WHERE campaign.end = 1", {}),
        ("SELECT metrics.clicks FROM campaign", {}),
        ("campaign.id", {}),
        ("SELECT campaign.id FROM campaign", {"pageSize": 10}),
    ],
)
def test_google_refuses_a_query_that_it_does_not_know(query: str, more: dict[str, Any]):
    """Fields, operators and settings."""
    google = FakeGoogleAds()

    with pytest.raises(Refused, match="400"):
        searched(google, query, token=f"Bearer {token_of(google)}", **more)


def test_google_never_takes_a_token_again_that_ran_out():
    """Nor one without its scheme."""
    google = FakeGoogleAds()
    token = token_of(google)
    query = "SELECT campaign.id FROM campaign"
    with pytest.raises(Refused, match="401"):
        searched(google, query, token=token)
    assert searched(google, query, token=f"Bearer {token}") == []
    google.refusal(Trouble.STALE_TOKEN)

    with pytest.raises(Refused, match="401"):
        searched(google, query, token=f"Bearer {token}")


def ordered(meta: FakeMeta, **given: Any) -> Any:
    """A report, from its order to its rows."""
    order = {"level": "ad", "fields": "ad_id,clicks", **given}
    order["time_range"] = json.dumps({"since": "2026-01-02", "until": "2026-01-03"})
    path = f"/v26.0/{meta.campaign_id}/insights"
    run_id = meta.answer(meta_asked("POST", path, order))["report_run_id"]
    for _ in range(2):
        meta.answer(meta_asked("GET", f"/v26.0/{run_id}", {}))
    return meta.answer(meta_asked("GET", f"/v26.0/{run_id}/insights", {}))["data"]


def meta_asked(method: str, path: str, given: dict[str, Any]) -> Asked:
    """A request to Meta, with its proof."""
    proof = hmac.new(APP_SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    query = {**given, "access_token": TOKEN, "appsecret_proof": proof}
    return Asked(method=method, path=path, query=query, headers={"host": "x"}, body=b"")


def test_meta_tells_the_fields_and_days_that_were_ordered():
    """The day of a row is always told."""
    meta = FakeMeta()
    meta.insights = [
        {"ad_id": "1", "date_start": f"2026-01-0{day}", "clicks": "5", "spend": "1"}
        for day in range(1, 5)
    ]

    assert ordered(meta) == [
        {"ad_id": "1", "date_start": f"2026-01-0{day}", "clicks": "5"} for day in (2, 3)
    ]


def test_meta_refuses_a_field_that_it_does_not_know():
    """Of a report, when it is ordered."""
    with pytest.raises(Refused, match="400"):
        ordered(FakeMeta(), fields="ad_id,clics")
