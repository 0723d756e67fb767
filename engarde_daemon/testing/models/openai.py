"""A fake OpenAI: chat completions, responses, and batches of both.

https://platform.openai.com/docs/api-reference
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from engarde_daemon.testing.models.batches import Request
from engarde_daemon.testing.models.openai_batches import BatchCounter
from engarde_daemon.testing.models.provider import (
    Asked,
    FakeProvider,
    Reaction,
    Refused,
    read_json,
)

_SCHEMA_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CHAT = {
    "model": str,
    "messages": list,
    "max_completion_tokens": int,
    "max_tokens": int,
    "temperature": (int, float),
    "response_format": dict,
    "stream": bool,
    "stream_options": dict,
}
_RESPONSES = {
    "model": str,
    "input": (str, list),
    "instructions": str,
    "max_output_tokens": int,
    "text": dict,
    "store": bool,
    "stream": bool,
}
_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "/v1/chat/completions": _CHAT,
    "/v1/responses": _RESPONSES,
}


class FakeOpenAI(FakeProvider):
    """Speaks both dialects; `is_modern` refuses `max_tokens` and a temperature, as GPT-5 does."""

    is_modern = True
    knows_schemas = True

    def check(
        self, method: str, path: str, *, headers: Mapping[str, str], raw: bytes
    ) -> dict[str, Any]:
        """See `FakeProvider.check`."""
        self.require_key(headers)
        if method != "POST" or path not in _FIELDS:
            raise Refused(404, _error(f"Unknown request URL: {method} {path}."))
        document = read_json(headers, raw, _wrong)
        self.check_question(path, document)
        return document

    def require_key(self, headers: Mapping[str, str]) -> None:
        """See `FakeProvider.require_key`."""
        given = headers.get("authorization", "")
        if given != f"Bearer {self.api_key}":
            told = f"Incorrect API key provided: {given.removeprefix('Bearer ')}."
            raise Refused(401, _error(told, code="invalid_api_key"))

    def batches(self, request: Request) -> dict[str, Any] | bytes | None:
        """See `FakeProvider.batches`."""
        return BatchCounter(self.shop, self.work).serve(request, _wrong)

    def models(self) -> dict[str, Any]:
        """See `FakeProvider.models`."""
        model = {"id": "m", "object": "model", "created": 1_790_000_000, "owned_by": "openai"}
        return {"object": "list", "data": [model]}

    def check_question(self, path: str, document: dict[str, Any]) -> None:
        """See `FakeProvider.check_question`."""
        for name, value in document.items():
            self._check_field(_FIELDS[path], name, value)
        for name in ("model", "messages" if path.endswith("completions") else "input"):
            if not document.get(name):
                raise _wrong(f"Missing required parameter: '{name}'.", param=name)
        for message in document.get("messages", []):
            if not isinstance(message, dict) or message.keys() != {"role", "content"}:
                raise _wrong("Invalid message.", param="messages")
        if "stream_options" in document and not document.get("stream"):
            told = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise _wrong(told, param="stream_options")

    def _check_field(self, fields: Mapping[str, Any], name: str, value: Any) -> None:
        if name not in fields:
            raise _wrong(f"Unrecognized request argument supplied: {name}", param=name)
        is_odd = isinstance(value, bool) and fields[name] is not bool
        if is_odd or not isinstance(value, fields[name]):
            raise _wrong(f"Invalid type for '{name}'.", param=name)
        if self.is_modern and name == "max_tokens":
            raise _wrong(
                "Unsupported parameter: 'max_tokens' is not supported with this model.",
                param=name,
                code="unsupported_parameter",
            )
        if self.is_modern and name == "temperature" and value != 1:
            raise _wrong(
                "Unsupported value: 'temperature'. Only the default (1) value is supported.",
                param=name,
                code="unsupported_value",
            )
        if name == "response_format":
            self._check_format(value.get("type"), value.get("json_schema", {}), param=name)
        if name == "text":
            given = dict(value.get("format", {}))
            self._check_format(given.pop("type", None), given, param="text.format")

    def _check_format(self, kind: object, wanted: dict[str, Any], *, param: str) -> None:
        """See that structured output is asked for as strict mode needs it."""
        if not self.knows_schemas:
            raise _wrong(f"{param} is not supported.", param=param)
        schema = wanted.get("schema", {})
        name = wanted.get("name")
        is_known = wanted.keys() <= {"name", "strict", "schema"} and isinstance(name, str)
        if kind != "json_schema" or not is_known or not _SCHEMA_NAME.fullmatch(str(name)):
            raise _wrong(f"Invalid {param}.", param=f"{param}.json_schema")
        if not wanted.get("strict"):
            return
        if schema.get("additionalProperties") is not False:
            raise _wrong("'additionalProperties' is required to be false.", param=param)
        if set(schema.get("required", ())) != set(schema.get("properties", {})):
            raise _wrong("'required' must include every key in properties.", param=param)

    def document(self, asked: Asked, reaction: Reaction) -> dict[str, Any]:
        """See `FakeProvider.document`."""
        if asked.path == "/v1/responses":
            return self._response(asked, reaction)
        message = {"role": "assistant", "content": self.text_for(asked, reaction), "refusal": None}
        if reaction.refusal:
            message |= {"content": None, "refusal": reaction.refusal}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _end(reaction)}
        return {
            "id": f"chatcmpl-{asked.number}",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": asked.body["model"],
            "choices": [choice],
            "usage": _usage("prompt_tokens", "completion_tokens", self._counts(asked, reaction)),
        }

    def events(self, asked: Asked, reaction: Reaction) -> list[bytes]:
        """See `FakeProvider.events`."""
        if asked.path == "/v1/responses":
            return self._response_events(asked, reaction)
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": f"{word} "} for word in self.text_for(asked, reaction).split(" ")]
        chunks = [self._chunk(asked, [_delta(delta)]) for delta in deltas]
        chunks.append(self._chunk(asked, [_delta({}, _end(reaction))]))
        if asked.body.get("stream_options", {}).get("include_usage"):
            counts = self._counts(asked, reaction)
            usage = _usage("prompt_tokens", "completion_tokens", counts)
            chunks.append(self._chunk(asked, []) | {"usage": usage})
        return [*map(_data, chunks), b"data: [DONE]\n\n"]

    def error(self, status: int, code: str) -> dict[str, Any]:
        """See `FakeProvider.error`."""
        return _error(f"Refused with {status}.", code=code or None, type_="requests")

    def stream_error(self) -> bytes:
        """See `FakeProvider.stream_error`."""
        return _data(_error("The server had an error.", type_="server_error"))

    def _chunk(self, asked: Asked, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{asked.number}",
            "object": "chat.completion.chunk",
            "created": 1_790_000_000,
            "model": asked.body["model"],
            "choices": choices,
            "usage": None,
        }

    def _response(self, asked: Asked, reaction: Reaction) -> dict[str, Any]:
        part = {"type": "output_text", "text": self.text_for(asked, reaction), "annotations": []}
        if reaction.refusal:
            part = {"type": "refusal", "refusal": reaction.refusal}
        output = {
            "id": "msg_1",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [part],
        }
        return {
            "id": f"resp_{asked.number}",
            "object": "response",
            "created_at": 1_790_000_000,
            "model": asked.body["model"],
            "status": "incomplete" if reaction.is_cut_off else "completed",
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if reaction.is_cut_off else None,
            "output": [output],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": _usage("input_tokens", "output_tokens", self._counts(asked, reaction)),
        }

    def _response_events(self, asked: Asked, reaction: Reaction) -> list[bytes]:
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": self._response(asked, reaction)}
        ]
        events += [
            {"type": "response.output_text.delta", "delta": f"{word} ", **where}
            for word in self.text_for(asked, reaction).split(" ")
        ]
        end = "response.incomplete" if reaction.is_cut_off else "response.completed"
        events.append({"type": end, "response": self._response(asked, reaction)})
        return [
            f"event: {event['type']}\n".encode() + _data(event | {"sequence_number": number})
            for number, event in enumerate(events)
        ]

    def _counts(self, asked: Asked, reaction: Reaction) -> tuple[int, int]:
        said = json.dumps(asked.body.get("messages") or asked.body.get("input"))
        return len(said.split()), len(self.text_for(asked, reaction).split())


def _usage(asked: str, answered: str, counts: tuple[int, int]) -> dict[str, Any]:
    return {
        asked: counts[0],
        answered: counts[1],
        "total_tokens": sum(counts),
        f"{asked}_details": {"cached_tokens": 0},
        f"{answered}_details": {"reasoning_tokens": 0},
    }


def _end(reaction: Reaction) -> str:
    return "length" if reaction.is_cut_off else "stop"


def _delta(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _data(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def _error(
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    type_: str = "invalid_request_error",
) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def _wrong(message: str, *, param: str | None = None, code: str | None = None) -> Refused:
    return Refused(400, _error(message, param=param, code=code))
