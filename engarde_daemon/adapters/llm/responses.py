"""OpenAI's responses.

https://platform.openai.com/docs/api-reference/responses
"""

from typing import Any

import msgspec

from engarde_daemon.adapters.llm.faults import fault_in_stream, fault_of
from engarde_daemon.adapters.llm.wire import RefusedError, Wire, decoded
from engarde_daemon.domain.generation import Usage
from engarde_daemon.domain.pieces import SCHEMA
from engarde_daemon.ports.models import Ask, FaultKind, Hear, ModelFault, Reply

NAME = "content_piece"

_FILTERED = "The provider's content filter stopped the answer."
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Text(msgspec.Struct):
    type: str = ""
    text: str = ""
    refusal: str = ""


class _Output(msgspec.Struct):
    type: str = ""
    content: list[_Text] = []


class _ResponsesUsage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: _Details | None = None


class _Reason(msgspec.Struct):
    reason: str = ""


class _Response(msgspec.Struct):
    status: str = ""
    output: list[_Output] = []
    usage: _ResponsesUsage | None = None
    model: str | None = None
    incomplete_details: _Reason | None = None
    error: dict[str, Any] | None = None


class _ResponseEvent(msgspec.Struct):
    type: str = ""
    delta: str | None = None
    response: _Response | None = None


class ResponsesModel:
    """The `LanguageModel` port over OpenAI's responses."""

    def __init__(self, wire: Wire, *, base_url: str, api_key: str | None) -> None:
        self._wire = wire
        self._url = f"{base_url.rstrip('/')}/responses"
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}

    async def write(self, ask: Ask, hear: Hear | None = None) -> Reply:
        """See `LanguageModel.write`."""
        try:
            if hear is None:
                return reply_in(await self._wire.ask(self._url, self._headers, body_of(ask)))
            return await self._streamed(ask, hear)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None

    async def _streamed(self, ask: Ask, hear: Hear) -> Reply:
        body = body_of(ask) | {"stream": True}
        async with self._wire.stream(self._url, self._headers, body) as events:
            async for data in events:
                event = decoded(data, _ResponseEvent)
                if event.type == "response.output_text.delta" and event.delta:
                    hear(event.delta)
                elif event.type == "error":
                    raise fault_in_stream(decoded(data, dict))
                elif event.response is not None and event.type in _ENDS:
                    return _reply_of(event.response)
        raise ModelFault(FaultKind.BROKEN, "The answer broke off before its end.")


def body_of(ask: Ask) -> dict[str, Any]:
    """The request for an answer."""
    schema = {"type": "json_schema", "name": NAME, "strict": True, "schema": SCHEMA}
    body: dict[str, Any] = {
        "model": ask.model,
        "instructions": ask.prompt.system,
        "input": ask.prompt.user,
        "max_output_tokens": ask.max_tokens,
        "text": {"format": schema},
        "store": False,
    }
    return body


def reply_in(raw: bytes) -> Reply:
    """The answer that a whole document holds.

    Raises:
        ModelFault: There is none in it.
    """
    return _reply_of(decoded(raw, _Response))


def _reply_of(response: _Response) -> Reply:
    if response.status == "failed" or response.error is not None:
        raise fault_in_stream({"error": response.error})
    parts = [part for output in response.output for part in output.content]
    refusal = "".join(part.refusal for part in parts)
    reason = response.incomplete_details.reason if response.incomplete_details else ""
    if refusal or reason == "content_filter":
        told, usage = refusal[:300] or _FILTERED, _counted(response.usage)
        raise ModelFault(FaultKind.REFUSED, told, usage=usage)
    return Reply(
        text="".join(part.text for part in parts if part.type == "output_text"),
        usage=_counted(response.usage),
        model=response.model or "",
        is_cut_off=reason == "max_output_tokens",
    )


def _counted(usage: _ResponsesUsage | None) -> Usage | None:
    if usage is None:
        return None
    details = usage.input_tokens_details
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=(details.cached_tokens or 0) if details else 0,
    )
