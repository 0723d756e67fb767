"""Google Ads over REST on this machine: one account with one campaign.

Strict where Google is: the version, tokens and their age, the fields and filters of a query. Numbers
of 64 bits come as texts, and the errors of a stream in a list.
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
_FIELD = re.compile(
    r"(campaign|ad_group_ad|campaign_asset|asset_group_asset|asset|customer|metrics|segments)"
    r"\.[a-z_]+(\.[a-z_]+)*"
)
_NO_METRICS = {"asset", "campaign", "customer"}


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
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            raise _failure(401, "UNAUTHENTICATED", {"authenticationError": "OAUTH_TOKEN_EXPIRED"})
        results = self._results(json.loads(asked.body)["query"])
        filled = json.loads(
            re.sub(
                r'"file:([^"]+)"', lambda m: f'"{self.url_of(asked, m[1])}"', json.dumps(results)
            )
        )
        half = len(filled) // 2 or 1
        parts = [filled[:half], filled[half:]]
        return [{"results": part, "requestId": "r"} for part in parts if part]

    def refusal(self, trouble: Trouble) -> Refused:
        """See `FakePlatform.refusal`."""
        match trouble:
            case Trouble.THROTTLED:
                details = {"quotaErrorDetails": {"rateScope": "DEVELOPER", "retryDelay": "1s"}}
                code = {"quotaError": "RESOURCE_EXHAUSTED"}
                return _failure(429, "RESOURCE_EXHAUSTED", code, details=details)
            case Trouble.STALE_TOKEN:
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
        has_metrics = any(field.startswith("metrics.") for field in fields)
        if not all(map(_FIELD.fullmatch, fields)) or (has_metrics and source in _NO_METRICS):
            raise _failure(400, "INVALID_ARGUMENT", {"queryError": "UNRECOGNIZED_FIELD"})
        campaign = re.search(r"campaign\.id = ([0-9]+)", where)
        if campaign is not None and campaign[1] != self.campaign_id:
            return []
        rows = self.rows.get("figures" if has_metrics else source, [])
        return [row for row in rows if _matches(row, where)]


def _matches(row: Mapping[str, Any], where: str) -> bool:
    days = re.search(r"segments\.date BETWEEN '([0-9-]+)' AND '([0-9-]+)'", where)
    if days is not None:
        return bool(days[1] <= row["segments"]["date"] <= days[2])
    name = re.search(r"asset\.resource_name = '([^']+)'", where)
    return name is None or row["asset"]["resourceName"] == name[1]


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
