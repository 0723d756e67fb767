"""The batches of a fake OpenAI: files up, batches, files down.

https://platform.openai.com/docs/api-reference/batch, .../files
"""

import email
import json
import re
from collections.abc import Callable
from email.policy import HTTP
from typing import Any

from engarde_daemon.testing.models.batches import Order, Outcome, Request, Shop

CREATED = 1_790_000_000
FILE_BYTES_MAX = 200_000_000
REQUESTS_MAX = 50_000

_FIELDS = frozenset(
    {"input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after"}
)
_ENDPOINTS = frozenset({"/v1/chat/completions", "/v1/responses"})
_ONE = re.compile(r"/v1/batches/([\w-]+)(/cancel)?")
_CONTENT = re.compile(r"/v1/files/([\w-]+)/content")

Refuse = Callable[[str], Exception]


class BatchCounter:
    """Serves what belongs to batches; `work` answers one item, `refuse` makes an error of words."""

    def __init__(self, shop: Shop, work: Callable[[str, dict[str, Any]], Outcome]) -> None:
        self._shop = shop
        self._work = work

    def serve(self, request: Request, refuse: Refuse) -> dict[str, Any] | bytes | None:
        """The answer to a request about files or batches, None where it is about neither.

        Raises:
            Exception: As `refuse` makes it; the request is not as it is documented.
        """
        route = (request.method, request.path)
        if route == ("POST", "/v1/files"):
            return self._take_file(request, refuse)
        if route == ("POST", "/v1/batches"):
            return self._create(request, refuse)
        if route == ("GET", "/v1/batches"):
            return self._list(request, refuse)
        if request.method == "GET" and (found := _CONTENT.fullmatch(request.path)):
            return self._content(found[1], refuse)
        if found := _ONE.fullmatch(request.path):
            order = self._shop.orders.get(found[1])
            if order is None or (request.method == "POST") != bool(found[2]):
                raise refuse(f"No batch found with id '{found[1]}'.")
            return self._cancel(order, refuse) if found[2] else self._look(order)
        return None

    def _take_file(self, request: Request, refuse: Refuse) -> dict[str, Any]:
        head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n"
        form = email.message_from_bytes(head.encode() + request.raw, policy=HTTP)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.walk()}
        if "purpose" not in parts or parts["purpose"].get_content().strip() != "batch":
            raise refuse("'purpose' must be 'batch' here.")
        if "file" not in parts or not parts["file"].get_filename():
            raise refuse("Missing required parameter: 'file'.")
        content = parts["file"].get_payload(decode=True)
        if not isinstance(content, bytes):
            raise refuse("'file' holds nothing.")
        if len(content) > FILE_BYTES_MAX:
            raise refuse("The file is larger than 200 MB.")
        name = f"file-{len(self._shop.files) + 1}"
        self._shop.files[name] = content
        return {
            "id": name,
            "object": "file",
            "bytes": len(content),
            "created_at": CREATED,
            "filename": parts["file"].get_filename(),
            "purpose": "batch",
            "status": "processed",
        }

    def _create(self, request: Request, refuse: Refuse) -> dict[str, Any]:
        wish = json.loads(request.raw)
        unknown = set(wish) - _FIELDS
        if unknown:
            raise refuse(f"Unrecognized request argument supplied: {unknown.pop()}")
        if wish.get("completion_window") != "24h" or wish.get("endpoint") not in _ENDPOINTS:
            raise refuse("'completion_window' must be '24h', 'endpoint' one that is supported.")
        if wish.get("input_file_id") not in self._shop.files:
            raise refuse("No such File object.")
        tags = wish.get("metadata") or {}
        are_short = all(isinstance(text, str) and len(text) <= 512 for text in tags.values())
        if len(tags) > 16 or not are_short or any(len(name) > 64 for name in tags):
            raise refuse("Invalid 'metadata'.")
        raw = self._shop.files[wish["input_file_id"]]
        order = self._shop.add("batch_", wish["endpoint"], _questions(raw, wish["endpoint"]))
        order.tags, order.file = tags, wish["input_file_id"]
        return self._document(order)

    def _list(self, request: Request, refuse: Refuse) -> dict[str, Any]:
        limit = int(request.query.get("limit", "20"))
        if not 1 <= limit <= 100:
            raise refuse("'limit' must be between 1 and 100.")
        found = self._shop.newest_first(request.query.get("after"))
        page = [self._document(order) for order in found[:limit]]
        return {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(found) > limit,
        }

    def _look(self, order: Order) -> dict[str, Any]:
        self._shop.look(order, lambda body: self._work(order.path, body))
        return self._document(order)

    def _cancel(self, order: Order, refuse: Refuse) -> dict[str, Any]:
        if order.is_over:
            raise refuse("Cannot cancel a batch that has ended.")
        order.is_cancelled = True
        return self._document(order)

    def _content(self, name: str, refuse: Refuse) -> bytes:
        kind, _, batch = name.partition("-")
        order = self._shop.orders.get(batch)
        if order is None or not order.is_over or kind not in {"output", "error"}:
            raise refuse(f"No such File object: {name}")
        lines = [
            _line(item, outcome)
            for item, outcome in reversed(order.outcomes.items())
            if (outcome.kind == "succeeded") == (kind == "output")
        ]
        return b"\n".join(json.dumps(line).encode() for line in lines)

    def _document(self, order: Order) -> dict[str, Any]:
        done, failed = order.count("succeeded"), order.count("errored")
        left = len(order.items) - done - failed
        return {
            "id": order.id,
            "object": "batch",
            "endpoint": order.path,
            "errors": _errors(order),
            "input_file_id": order.file,
            "completion_window": "24h",
            "status": _status(order),
            "output_file_id": f"output-{order.id}" if order.is_over and done else None,
            "error_file_id": f"error-{order.id}" if order.is_over and (failed or left) else None,
            "created_at": int(order.made_at.timestamp()),
            "request_counts": {"total": len(order.items), "completed": done, "failed": failed},
            "metadata": order.tags,
        }


def _questions(raw: bytes, endpoint: str) -> dict[str, dict[str, Any]]:
    """The questions in a file; one that is wrong has the whole batch fail, as none at all does."""
    lines = [json.loads(line) for line in raw.splitlines() if line]
    names = {line["custom_id"] for line in lines}
    models = {line["body"].get("model") for line in lines}
    is_good = (
        len(names) == len(lines) <= REQUESTS_MAX
        and len(models) == 1
        and all(set(line) == {"custom_id", "method", "url", "body"} for line in lines)
        and all((line["method"], line["url"]) == ("POST", endpoint) for line in lines)
        and not any(line["body"].get("stream") for line in lines)
    )
    return {line["custom_id"]: line["body"] for line in lines} if is_good else {}


def _status(order: Order) -> str:
    if not order.items:
        return "failed"
    if not order.is_over:
        return "cancelling" if order.is_cancelled else "in_progress"
    if order.count("expired"):
        return "expired"
    return "cancelled" if order.is_cancelled else "completed"


def _errors(order: Order) -> dict[str, Any] | None:
    if order.items:
        return None
    error = {"code": "invalid_file", "message": "The file is not valid.", "line": 1, "param": None}
    return {"object": "list", "data": [error]}


def _line(name: str, outcome: Outcome) -> dict[str, Any]:
    line: dict[str, Any] = {"id": f"batch_req_{name}", "custom_id": name}
    if outcome.kind in {"succeeded", "errored"}:
        answer = {"status_code": outcome.status, "request_id": "req_1", "body": outcome.body}
        return line | {"response": answer, "error": None}
    code = "batch_expired" if outcome.kind == "expired" else "batch_cancelled"
    told = "This request could not be executed before the batch ended."
    return line | {"response": None, "error": {"code": code, "message": told}}
