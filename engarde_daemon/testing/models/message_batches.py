"""The message batches of a fake Anthropic.

https://docs.claude.com/en/api/creating-message-batches
"""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from engarde_daemon.testing.models.batches import Order, Outcome, Request, Shop

PATH = "/v1/messages/batches"
BYTES_MAX = 256_000_000
REQUESTS_MAX = 100_000

_ONE = re.compile(rf"{PATH}/([\w-]+)(/cancel|/results)?")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KINDS = ("succeeded", "errored", "canceled", "expired")

Refuse = Callable[[str], Exception]


class MessageBatchCounter:
    """Serves what belongs to batches; `work` answers one item, `refuse` makes an error of words."""

    def __init__(self, shop: Shop, work: Callable[[str, dict[str, Any]], Outcome]) -> None:
        self._shop = shop
        self._work = work

    def serve(self, request: Request, refuse: Refuse) -> dict[str, Any] | bytes | None:
        """The answer to a request about batches, None where it is about something else.

        Raises:
            Exception: As `refuse` makes it; the request is not as it is documented.
        """
        if request.path == PATH:
            is_new = request.method == "POST"
            return self._create(request, refuse) if is_new else self._list(request, refuse)
        found = _ONE.fullmatch(request.path)
        if found is None:
            return None
        order, action = self._shop.orders.get(found[1]), found[2]
        if order is None or (request.method == "POST") != (action == "/cancel"):
            raise refuse("Not found")
        if action == "/results":
            return self._results(order, refuse)
        if action == "/cancel":
            order.is_cancelled = True
        else:
            self._shop.look(order, lambda body: self._work("/v1/messages", body))
        return self._document(order, request)

    def _create(self, request: Request, refuse: Refuse) -> dict[str, Any]:
        wish = json.loads(request.raw)
        if len(request.raw) > BYTES_MAX or len(wish.get("requests", ())) > REQUESTS_MAX:
            raise refuse("requests: at most 100,000 of them, and 256 MB")
        if set(wish) != {"requests"} or not wish["requests"]:
            raise refuse("requests: Field required, and nothing else")
        items: dict[str, dict[str, Any]] = {}
        for one in wish["requests"]:
            if set(one) != {"custom_id", "params"} or not _NAME.fullmatch(one["custom_id"]):
                raise refuse("requests.custom_id: String should match '^[a-zA-Z0-9_-]{1,64}$'")
            if one["custom_id"] in items or one["params"].get("stream"):
                raise refuse("requests: custom_id must be unique, and nothing is streamed")
            items[one["custom_id"]] = one["params"]
        return self._document(self._shop.add("msgbatch_", "/v1/messages", items), request)

    def _list(self, request: Request, refuse: Refuse) -> dict[str, Any]:
        limit = int(request.query.get("limit", "20"))
        if not 1 <= limit <= 1000:
            raise refuse("limit: Input should be between 1 and 1000")
        found = self._shop.newest_first(request.query.get("after_id"))
        page = [self._document(order, request) for order in found[:limit]]
        return {
            "data": page,
            "has_more": len(found) > limit,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
        }

    def _results(self, order: Order, refuse: Refuse) -> bytes:
        if not order.is_over:
            raise refuse("Batch has no available results: it is still in progress")
        lines = [
            {"custom_id": name, "result": _result(outcome)}
            for name, outcome in reversed(order.outcomes.items())
        ]
        return b"\n".join(json.dumps(line).encode() for line in lines)

    def _document(self, order: Order, request: Request) -> dict[str, Any]:
        counts = {kind: order.count(kind) if order.is_over else 0 for kind in _KINDS}
        address = f"http://{request.headers.get('host', '')}{PATH}/{order.id}/results"
        return {
            "id": order.id,
            "type": "message_batch",
            "processing_status": _status(order),
            "request_counts": {"processing": 0 if order.is_over else len(order.items), **counts},
            "created_at": _time(order.made_at),
            "expires_at": _time(order.made_at + timedelta(days=1)),
            "ended_at": _time(order.made_at) if order.is_over else None,
            "cancel_initiated_at": _time(order.made_at) if order.is_cancelled else None,
            "archived_at": None,
            "results_url": address if order.is_over else None,
        }


def _status(order: Order) -> str:
    if order.is_over:
        return "ended"
    return "canceling" if order.is_cancelled else "in_progress"


def _result(outcome: Outcome) -> dict[str, Any]:
    if outcome.kind == "succeeded":
        return {"type": "succeeded", "message": outcome.body}
    if outcome.kind == "errored":
        return {"type": "errored", "error": outcome.body}
    return {"type": outcome.kind}


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
