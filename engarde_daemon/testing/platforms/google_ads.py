"""Google Ads over REST on this machine: one account with one campaign.

Strict where Google is: the version, tokens and their age, the fields and filters of a query, of which
an answer holds those alone that were asked for. Numbers of 64 bits come as texts, and the errors of a
stream in a list.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from engarde_daemon.testing.platforms.server import Asked, FakePlatform, Refused, Trouble

VERSION = "v26"
REFRESH_TOKEN = "1//refresh"  # noqa: S105 - it opens this server alone
CLIENT = {"client_id": "client", "client_secret": "client-secret"}

_QUERY = re.compile(r"SELECT (?P<fields>.+?) FROM (?P<source>[a-z_]+)(?: WHERE (?P<where>.+))?")
_CONDITION = re.compile(
    r"(?P<field>[a-z_.]+) (?:(?P<sign>!?=) (?P<value>'[^']*'|[0-9]+)"
    r"|BETWEEN '(?P<first>[0-9-]+)' AND '(?P<last>[0-9-]+)')(?: AND |$)"
)
_NO_METRICS = {"asset", "campaign", "customer"}
# https://developers.google.com/google-ads/api/fields/v26/overview, as far as campaigns need it.
_KNOWN: Mapping[str, frozenset[str]] = {
    "campaign": frozenset({"id", "name", "status", "advertising_channel_type"}),
    "customer": frozenset({"id", "currency_code", "time_zone"}),
    "ad_group_ad": frozenset(
        {
            "status",
            "ad.id",
            "ad.type",
            "ad.final_urls",
            "ad.responsive_search_ad.headlines",
            "ad.responsive_search_ad.descriptions",
        }
    ),
    "asset": frozenset(
        {
            "id",
            "name",
            "type",
            "text_asset.text",
            "image_asset.full_size.url",
            "youtube_video_asset.youtube_video_id",
            "youtube_video_asset.youtube_video_title",
        }
    ),
    "campaign_asset": frozenset({"asset", "field_type", "status", "source"}),
    "asset_group_asset": frozenset({"asset", "field_type", "status", "primary_status"}),
    "metrics": frozenset(
        {"impressions", "clicks", "cost_micros", "conversions", "conversions_value"}
    ),
    "segments": frozenset({"date", "hour"}),
}
_NO_RESOURCES = {"metrics", "segments"}


class FakeGoogleAds(FakePlatform):
    """An ASGI application; `rows` are what each source of a query holds, as Google writes them.

    A value that starts with `file:` is answered as the address of that file.
    """

    def __init__(self, *, customer_id: str = "1234567890", campaign_id: str = "5001") -> None:
        super().__init__()
        self.customer_id = customer_id
        self.campaign_id = campaign_id
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.refresh_token = REFRESH_TOKEN
        self.tokens_given = 0
        self._tokens: set[str] = set()

    def forget(self) -> None:
        """Begin anew, as if nothing had been asked or told."""
        FakeGoogleAds.__init__(self)

    def answer(self, asked: Asked) -> Any:
        """See `FakePlatform.answer`."""
        if asked.path == "/token":
            return self._renew(asked.form)
        path = f"/{VERSION}/customers/{self.customer_id}/googleAds:searchStream"
        if (asked.method, asked.path) != ("POST", path):
            raise _failure(404, "NOT_FOUND", {"requestError": "RESOURCE_NOT_FOUND"})
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._tokens:
            raise _failure(401, "UNAUTHENTICATED", {"authenticationError": "OAUTH_TOKEN_EXPIRED"})
        document = json.loads(asked.body)
        if set(document) != {"query"}:
            raise _failure(400, "INVALID_ARGUMENT", {"requestError": "PAGE_SIZE_NOT_SUPPORTED"})
        results = self._results(document["query"])
        filled = json.loads(
            re.sub(
                r'"file:([^"]+)"', lambda m: f'"{self.url_of(asked, m[1])}"', json.dumps(results)
            )
        )
        half = len(filled) // 2 or 1
        parts = [filled[:half], filled[half:]]
        return [{"results": part, "requestId": "r"} for part in parts if part]

    def meets_troubles(self, asked: Asked) -> bool:
        """See `FakePlatform.meets_troubles`; tokens come from another server."""
        return asked.path != "/token"

    def refusal(self, trouble: Trouble) -> Refused:
        """See `FakePlatform.refusal`; a token that ran out is not taken again."""
        match trouble:
            case Trouble.THROTTLED:
                details = {"quotaErrorDetails": {"rateScope": "DEVELOPER", "retryDelay": "1s"}}
                code = {"quotaError": "RESOURCE_EXHAUSTED"}
                return _failure(429, "RESOURCE_EXHAUSTED", code, details=details)
            case Trouble.STALE_TOKEN:
                self._tokens.clear()
                code = {"authenticationError": "OAUTH_TOKEN_EXPIRED"}
                return _failure(401, "UNAUTHENTICATED", code)
            case Trouble.DEAD_TOKEN:
                code = {"authenticationError": "OAUTH_TOKEN_REVOKED"}
                return _failure(401, "UNAUTHENTICATED", code)
            case _:
                return _failure(500, "INTERNAL", {"internalError": "INTERNAL_ERROR"})

    def spoilt(self, document: Any) -> Any:
        """See `FakePlatform.spoilt`: what follows the first part of a stream is an error."""
        return [*document[:1], *self.refusal(Trouble.BROKEN).document]

    def _renew(self, form: Mapping[str, str]) -> dict[str, Any]:
        right = {**CLIENT, "grant_type": "refresh_token", "refresh_token": self.refresh_token}
        if form != right:
            raise Refused(400, {"error": "invalid_grant", "error_description": "Token revoked."})
        self.tokens_given += 1
        token = f"ya29.{self.tokens_given}"
        self._tokens.add(token)
        return {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def _results(self, query: str) -> list[dict[str, Any]]:
        match = _QUERY.fullmatch(query)
        if match is None:
            raise _failure(400, "INVALID_ARGUMENT", {"queryError": "BAD_FIELD_NAME"})
        source, where = match["source"], match["where"] or ""
        fields = [field.strip() for field in match["fields"].split(",")]
        conditions = list(_CONDITION.finditer(where))
        if "".join(one[0] for one in conditions) != where:
            raise _failure(400, "INVALID_ARGUMENT", {"queryError": "BAD_OPERATOR"})
        has_metrics = any(field.startswith("metrics.") for field in fields)
        asked_for = {*fields, *(one["field"] for one in conditions)}
        if not all(map(_is_known, asked_for)) or (has_metrics and source in _NO_METRICS):
            raise _failure(400, "INVALID_ARGUMENT", {"queryError": "UNRECOGNIZED_FIELD"})
        rows = self.rows.get("figures" if has_metrics else source, [])
        campaign = {"id": self.campaign_id}
        whole = [{**row, "campaign": campaign | row.get("campaign", {})} for row in rows]
        return [
            _selected(row, fields) for row in whole if all(_holds(one, row) for one in conditions)
        ]


def _is_known(field: str) -> bool:
    resource, _, name = field.partition(".")
    has_a_name = resource in _KNOWN and resource not in _NO_RESOURCES
    return name in _KNOWN.get(resource, ()) or (has_a_name and name == "resource_name")


def _holds(condition: re.Match[str], row: Mapping[str, Any]) -> bool:
    value = _value(row, condition["field"])
    if condition["sign"] is None:
        return bool(condition["first"] <= value <= condition["last"])
    is_same: bool = value == condition["value"].strip("'")
    return is_same == (condition["sign"] == "=")


def _selected(row: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    """What was asked for, and the name of each resource that it is of; what is not set is absent."""
    told: dict[str, Any] = {}
    names = {f"{field.partition('.')[0]}.resource_name" for field in fields}
    for field in [*fields, *names]:
        value = _value(row, field)
        if value is not None:
            *folders, last = map(_camel, field.split("."))
            place = told
            for folder in folders:
                place = place.setdefault(folder, {})
            place[last] = value
    return told


def _value(row: Any, field: str) -> Any:
    for part in field.split("."):
        row = row.get(_camel(part)) if row else None
    return row


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _failure(
    status: int, name: str, code: Mapping[str, str], *, details: Mapping[str, Any] | None = None
) -> Refused:
    error = {
        "errorCode": code,
        "message": f"It is {name}.",
        **({"details": details} if details else {}),
    }
    kind = f"type.googleapis.com/google.ads.googleads.{VERSION}.errors.GoogleAdsFailure"
    failure = {"@type": kind, "errors": [error], "requestId": "r"}
    told = {"code": status, "message": f"It is {name}.", "status": name, "details": [failure]}
    return Refused(status, [{"error": told}])
