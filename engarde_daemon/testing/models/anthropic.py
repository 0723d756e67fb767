"""A fake Anthropic: messages and batches of them, as API version 2026-10-21 has them.

https://docs.claude.com/en/api/messages
"""

import json
from collections.abc import Mapping
from typing import Any

from engarde_daemon.testing.models.batches import Request
from engarde_daemon.testing.models.message_batches import MessageBatchCounter
from engarde_daemon.testing.models.provider import (
    Asked,
    FakeProvider,
    Reaction,
    Refused,
    read_json,
)

VERSIONS = frozenset({"2026-10-21", "2023-06-01"})

_FIELDS: Mapping[str, Any] = {
    "model": str,
    "max_tokens": int,
    "messages": list,
    "system": (str, list),
    "stream": bool,
    "output_config": dict,
    "stop_sequences": list,
    "metadata": dict,
}
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class FakeAnthropic(FakeProvider):
    """Speaks the messages API; a temperature is refused whatever its value."""

    knows_schemas = True

    def check(
        self, method: str, path: str, *, headers: Mapping[str, str], raw: bytes
    ) -> dict[str, Any]:
        """See `FakeProvider.check`."""
        self.require_key(headers)
        if method != "POST":
            raise Refused(404, _error(404, "Not found"))
        document = read_json(headers, raw, _wrong)
        self.check_question(path, document)
        return document

    def require_key(self, headers: Mapping[str, str]) -> None:
        """See `FakeProvider.require_key`."""
        shown = (headers.get("x-api-key"), headers.get("authorization"))
        if shown not in {(self.api_key, None), (None, f"Bearer {self.api_key}")}:
            raise Refused(401, _error(401, "invalid x-api-key"))
        if headers.get("anthropic-version") not in VERSIONS:
            raise _wrong("anthropic-version: header is required")

    def batches(self, request: Request) -> dict[str, Any] | bytes | None:
        """See `FakeProvider.batches`."""
        return MessageBatchCounter(self.shop, self.work).serve(request, _wrong)

    def models(self) -> dict[str, Any]:
        """See `FakeProvider.models`."""
        made = "2026-01-01T00:00:00Z"
        model = {"type": "model", "id": "m", "display_name": "M", "created_at": made}
        return {"data": [model], "has_more": False, "first_id": "m", "last_id": "m"}

    def check_question(self, path: str, document: dict[str, Any]) -> None:
        """See `FakeProvider.check_question`."""
        if path != "/v1/messages":
            raise Refused(404, _error(404, "Not found"))
        for name, value in document.items():
            if name not in _FIELDS:
                raise _wrong(f"{name}: Extra inputs are not permitted")
            is_odd = isinstance(value, bool) and _FIELDS[name] is not bool
            if is_odd or not isinstance(value, _FIELDS[name]):
                raise _wrong(f"{name}: Input should be a valid {name}")
        for name in ("model", "max_tokens", "messages"):
            if not document.get(name):
                raise _wrong(f"{name}: Field required")
        for message in document["messages"]:
            if not isinstance(message, dict) or message.keys() != {"role", "content"}:
                raise _wrong("messages: Input should have a role and content, and nothing else")
        if document["messages"][-1]["role"] != "user":
            raise _wrong("messages: the last message must be the user's")
        self._check_output(document.get("output_config"))

    def _check_output(self, config: dict[str, Any] | None) -> None:
        if config is None:
            return
        if not self.knows_schemas:
            raise _wrong("output_config: this model does not support structured output")
        wanted = config.get("format", {})
        if wanted.get("type") != "json_schema" or "schema" not in wanted:
            raise _wrong("output_config.format: Input should be a JSON schema")

    def document(self, asked: Asked, reaction: Reaction) -> dict[str, Any]:
        """See `FakeProvider.document`."""
        refusal = {"type": "refusal", "category": None, "explanation": reaction.refusal}
        return {
            "id": f"msg_{asked.number}",
            "type": "message",
            "role": "assistant",
            "model": asked.body["model"],
            "content": [{"type": "text", "text": self.text_for(asked, reaction)}],
            "stop_reason": _end(reaction),
            "stop_sequence": None,
            "stop_details": refusal if reaction.refusal else None,
            "usage": self._usage(asked, reaction),
        }

    def events(self, asked: Asked, reaction: Reaction) -> list[bytes]:
        """See `FakeProvider.events`."""
        started = self.document(asked, reaction)
        usage = started["usage"]
        started |= {"content": [], "stop_reason": None, "usage": usage | {"output_tokens": 1}}
        block = {"type": "text", "text": ""}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": started},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "ping"},
        ]
        for word in self.text_for(asked, reaction).split(" "):
            delta = {"type": "text_delta", "text": f"{word} "}
            events.append({"type": "content_block_delta", "index": 0, "delta": delta})
        end = {"stop_reason": _end(reaction), "stop_sequence": None}
        events += [
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": end,
                "usage": {"output_tokens": usage["output_tokens"]},
            },
            {"type": "message_stop"},
        ]
        return [_event(event) for event in events]

    def error(self, status: int, code: str) -> dict[str, Any]:
        """See `FakeProvider.error`."""
        error = _error(status, f"Refused with {status}.")
        if code:
            error["error"]["details"] = {"error_code": code}
        return error

    def stream_error(self) -> bytes:
        """See `FakeProvider.stream_error`."""
        return _event(_error(529, "Overloaded"))

    def _usage(self, asked: Asked, reaction: Reaction) -> dict[str, Any]:
        said = f"{asked.body.get('system', '')} {json.dumps(asked.body['messages'])}"
        return {
            "input_tokens": len(said.split()),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": len(self.text_for(asked, reaction).split()),
            "service_tier": "standard",
        }


def _end(reaction: Reaction) -> str:
    if reaction.refusal:
        return "refusal"
    return "max_tokens" if reaction.is_cut_off else "end_turn"


def _event(document: dict[str, Any]) -> bytes:
    return f"event: {document['type']}\n".encode() + (
        b"data: " + json.dumps(document).encode() + b"\n\n"
    )


def _error(status: int, message: str) -> dict[str, Any]:
    error = {"type": _TYPES.get(status, "api_error"), "message": message}
    return {"type": "error", "error": error, "request_id": "req_1"}


def _wrong(message: str) -> Refused:
    return Refused(400, _error(400, message))
