"""Meta's Marketing API on this machine: one ad account with one campaign.

Strict where Meta is: the version, the token, the proof of the app's secret, page sizes and cursors, and
fields: an answer holds those alone that were asked for. A report is about the days that it was ordered
for.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engarde_daemon.testing.platforms.server import Asked, FakePlatform, Refused, Trouble

VERSION = "v26.0"
LIMIT_MAX = 500
TOKEN = "EAAB-test"  # noqa: S105 - it opens this server alone
APP_SECRET = "app-secret"  # noqa: S105 - see above

ACCOUNT = {"currency": "EUR", "timezone_name": "Europe/Berlin"}

_CAMPAIGN = frozenset({"name", "objective", "status", "effective_status"})
_ACCOUNT = frozenset({"account_id", "name", "currency", "timezone_name", "account_status"})
_AD = frozenset({"name", "status", "effective_status", "creative", "adset_id", "campaign_id"})
_IMAGE = frozenset({"hash", "name", "url", "permalink_url", "width", "height", "status"})
_VIDEO = frozenset({"title", "description", "length", "source", "picture", "created_time"})
_INSIGHT = frozenset(
    {"campaign_id", "adset_id", "ad_id", "impressions", "clicks", "spend", "reach", "ctr", "cpc"}
    | {"cpm", "actions", "action_values", "date_start", "date_stop"}
)
_WAIT = "x-business-use-case-usage"


class FakeMeta(FakePlatform):
    """An ASGI application; `ads`, `images`, `videos` and `insights` are what Meta would tell.

    More than `limit_max` ads or `rows_max` figures at once are too much for it. `paging` stands in
    place of what it would say of the next page. `images` names the file of each hash, `videos` that
    of each id. A report is ready after it was looked at `report_looks` times; `failing_reports` of
    them fail first.
    """

    def __init__(self, *, account_id: str = "42", campaign_id: str = "7001") -> None:
        super().__init__()
        self.account_id = account_id
        self.campaign_id = campaign_id
        self.token = TOKEN
        self.ads: list[dict[str, Any]] = []
        self.images: dict[str, str] = {}
        self.videos: dict[str, str] = {}
        self.insights: list[dict[str, Any]] = []
        self.rest_minutes = 0.0
        self.limit_max = LIMIT_MAX
        self.rows_max = LIMIT_MAX
        self.paging: dict[str, Any] | None = None
        self.report_looks = 1
        self.failing_reports = 0
        self._reports: dict[str, int] = {}
        self._orders: dict[str, dict[str, str]] = {}

    def forget(self) -> None:
        """Begin anew, as if nothing had been asked or told."""
        FakeMeta.__init__(self)

    def answer(self, asked: Asked) -> Any:
        """See `FakePlatform.answer`."""
        version, _, path = asked.path.removeprefix("/").partition("/")
        if version != VERSION:
            raise _error(400, 2635, f"You are calling a deprecated version: {version}.")
        given = {**asked.query, **asked.form} if asked.method == "POST" else dict(asked.query)
        self._authorize(given)
        return self._answers(asked, path, given)

    def refusal(self, trouble: Trouble) -> Refused:
        """See `FakePlatform.refusal`."""
        match trouble:
            case Trouble.THROTTLED:
                usage: dict[str, Any] = {"type": "ads_management", "call_count": 100}
                usage["estimated_time_to_regain_access"] = self.rest_minutes
                headers = {_WAIT: json.dumps({self.account_id: [usage]})}
                return _error(
                    400, 80004, "(#80004) There have been too many calls.", headers=headers
                )
            case Trouble.STALE_TOKEN | Trouble.DEAD_TOKEN:
                return _error(400, 190, "Error validating access token: Session has expired.")
            case Trouble.SAID_WITH_200:
                return _error(200, 2, "An unexpected error has occurred.", is_transient=True)
            case Trouble.TOO_MUCH:
                return _error(500, 1, "Please reduce the amount of data you're asking for.")
            case _:
                return _error(500, 2, "An unexpected error has occurred.", is_transient=True)

    def _authorize(self, given: dict[str, str]) -> None:
        token = given.pop("access_token", "")
        if token != self.token:
            raise _error(400, 190, "Invalid OAuth access token.")
        proof = hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()
        if given.pop("appsecret_proof", "") != proof:
            raise _error(400, 100, "Invalid appsecret_proof provided in the API argument")

    def _answers(self, asked: Asked, path: str, given: dict[str, str]) -> Any:
        account = f"act_{self.account_id}"
        edges: dict[str, Callable[[], Any]] = {
            f"GET {self.campaign_id}": lambda: _with(_CAMPAIGN, {"id": self.campaign_id}, given),
            f"GET {self.campaign_id}/ads": lambda: self._ads(given),
            f"POST {self.campaign_id}/insights": lambda: self._order(given),
            f"GET {account}": lambda: _with(_ACCOUNT, ACCOUNT | {"id": account}, given),
            f"GET {account}/adimages": lambda: self._images(asked, given),
        }
        edge = edges.get(f"{asked.method} {path}")
        return edge() if edge else self._node(asked, path, given)

    def _node(self, asked: Asked, path: str, given: dict[str, str]) -> Any:
        report = re.fullmatch(r"(9[0-9]+)(/insights)?", path)
        if report is not None and report[1] in self._reports:
            return self._report(report[1], given, is_read=report[2] is not None)
        if path in self.videos:
            film = {"id": path, "source": self.url_of(asked, self.videos[path])}
            return _with(_VIDEO, film, given)
        raise _error(400, 100, f"Unsupported get request. Object with ID '{path}' does not exist")

    def _ads(self, given: dict[str, str]) -> dict[str, Any]:
        if int(given.get("limit", "25")) > self.limit_max:
            raise self.refusal(Trouble.TOO_MUCH)
        return self._page([_with(_AD, ad, given) for ad in self.ads], given)

    def _order(self, given: dict[str, str]) -> dict[str, str]:
        span = json.loads(given["time_range"])
        if given["level"] != "ad" or set(span) != {"since", "until"}:
            raise _error(400, 100, "Invalid parameter")
        _require_fields(_INSIGHT, given)
        run_id = str(9000 + len(self._reports))
        self._reports[run_id] = self.report_looks
        self._orders[run_id] = {"fields": f"{given['fields']},date_start,date_stop", **span}
        return {"report_run_id": run_id}

    def _report(self, run_id: str, given: dict[str, str], *, is_read: bool) -> Any:
        if is_read:
            if self._reports[run_id] > 0:
                raise _error(400, 2601, "Loading async adreport failed.")
            if int(given.get("limit", "25")) > self.rows_max:
                raise self.refusal(Trouble.TOO_MUCH)
            return self._page(self._insights(self._orders[run_id]), given)
        self._reports[run_id] -= 1
        if self._reports[run_id] >= 0:
            return {"id": run_id, "async_status": "Job Running", "async_percent_completion": 100}
        self._reports[run_id] = 0
        if self.failing_reports:
            self.failing_reports -= 1
            return {"id": run_id, "async_status": "Job Failed", "async_percent_completion": 0}
        return {"id": run_id, "async_status": "Job Completed", "async_percent_completion": 100}

    def _insights(self, order: dict[str, str]) -> list[dict[str, Any]]:
        days = [row for row in self.insights if _is_within(row["date_start"], order)]
        return [_with(_INSIGHT, row, order) for row in days]

    def _images(self, asked: Asked, given: dict[str, str]) -> Any:
        wanted = json.loads(given["hashes"])
        found = [
            _with(_IMAGE, {"hash": one, "url": self.url_of(asked, self.images[one])}, given)
            for one in wanted
            if one in self.images
        ]
        return self._page(found, given)

    def _page(self, data: Sequence[Any], given: dict[str, str]) -> dict[str, Any]:
        limit = int(given.get("limit", "25"))
        if not 1 <= limit <= LIMIT_MAX:
            raise _error(400, 100, "(#100) The limit is out of range")
        start = _place(given["after"]) if "after" in given else 0
        end = start + limit
        paging: dict[str, Any] = {"cursors": {"before": f"c{start}", "after": f"c{end}"}}
        if end < len(data):
            # As Meta does: whoever follows this logs the token.
            paging["next"] = f"https://graph.facebook.com/?access_token={self.token}&after=c{end}"
        return {"data": list(data[start:end]), "paging": self.paging or paging}


def _with(known: frozenset[str], thing: dict[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Just the fields that are asked for, and the id."""
    wanted = {"id", *_require_fields(known, given)}
    return {name: value for name, value in thing.items() if name in wanted}


def _require_fields(known: frozenset[str], given: Mapping[str, str]) -> list[str]:
    """The fields that are asked for; one that nobody knows is an error."""
    wanted = re.sub(r"\{.*\}", "", given.get("fields", "id")).split(",")
    strange = sorted(set(wanted) - known - {"id"})
    if strange:
        raise _error(400, 100, f"(#100) Tried accessing nonexisting field ({strange[0]})")
    return wanted


def _is_within(day: str, order: Mapping[str, str]) -> bool:
    return order["since"] <= day <= order["until"]


def _place(cursor: str) -> int:
    if not re.fullmatch(r"c[0-9]+", cursor):
        raise _error(400, 100, "Invalid cursors values.")
    return int(cursor[1:])


def _error(
    status: int,
    code: int,
    message: str,
    *,
    headers: dict[str, str] | None = None,
    is_transient: bool = False,
) -> Refused:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return Refused(status, {"error": {**error, "is_transient": is_transient}}, headers)
