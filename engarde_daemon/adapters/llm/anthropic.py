"""Anthropic's messages.

https://docs.claude.com/en/api/messages, .../streaming

Owns the API version: from 2026-10-21 on a temperature is refused, even the default one, so none is
ever sent. A model that does not know structured output answers in text, which is read all the same.
"""

from typing import Any

import msgspec

from engarde_daemon.adapters.llm.faults import error_of, fault_in_stream, fault_of
from engarde_daemon.adapters.llm.wire import Refusal, RefusedError, Wire, decoded
from engarde_daemon.domain.generation import Usage
from engarde_daemon.domain.pieces import SCHEMA
from engarde_daemon.ports.models import Ask, FaultKind, Hear, ModelFault, Reply

VERSION = "2026-10-21"
MODELS_MAX = 1000

_REFUSED = "The model declines to write this."
_CUT_OFF = frozenset({"max_tokens", "model_context_window_exceeded"})


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Block(msgspec.Struct):
    type: str = ""
    text: str = ""


class _StopDetails(msgspec.Struct):
    explanation: str | None = None


class _Message(msgspec.Struct):
    content: list[_Block] = []
    model: str = ""
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None
    usage: _Usage = msgspec.field(default_factory=_Usage)


class _Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None


class _Event(msgspec.Struct):
    type: str
    message: _Message | None = None
    delta: _Delta | None = None
    usage: _Usage | None = None


class _Collected:
    """A message as it grows; usage is cumulative, so that the last word counts."""

    def __init__(self) -> None:
        self.message = _Message()
        self.text: list[str] = []
        self.is_whole = False

    def take(self, event: _Event, hear: Hear) -> None:
        delta = event.delta or _Delta()
        if event.type == "message_start" and event.message is not None:
            self.message = event.message
        elif event.type == "content_block_delta" and delta.type == "text_delta":
            self.text.append(delta.text)
            hear(delta.text)
        elif event.type == "message_delta":
            self.message.stop_reason = delta.stop_reason
            self.message.stop_details = delta.stop_details
            self._count(event.usage or _Usage())
        elif event.type == "message_stop":
            self.is_whole = True

    def reply(self) -> Reply:
        if not self.is_whole:
            raise ModelFault(FaultKind.BROKEN, "The answer broke off before its end.")
        self.message.content = [_Block("text", "".join(self.text))]
        return _reply_of(self.message)

    def _count(self, usage: _Usage) -> None:
        for name in _Usage.__struct_fields__:
            if getattr(usage, name) is not None:
                setattr(self.message.usage, name, getattr(usage, name))


class PlainModels:
    """The models of one server that know no structured output, as far as it was found out."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def __contains__(self, model: object) -> bool:
        """Whether a model is one of them."""
        return model in self._names

    def add(self, model: str) -> None:
        """Remember one; names are tenants' to choose, so there is an end to them."""
        if len(self._names) >= MODELS_MAX:
            self._names.clear()
        self._names.add(model)


class MessagesModel:
    """The `LanguageModel` port over messages."""

    def __init__(self, wire: Wire, *, base_url: str, api_key: str, plain: PlainModels) -> None:
        self._wire = wire
        self._url = f"{base_url.rstrip('/')}/v1/messages"
        self._headers = {"x-api-key": api_key, "anthropic-version": VERSION}
        self._plain = plain

    async def write(self, ask: Ask, hear: Hear | None = None) -> Reply:
        """See `LanguageModel.write`.

        A model that refuses structured output is asked again without it, once and for all: a
        request that was refused was not charged.
        """
        was_plain = ask.model in self._plain  # another call may find it out meanwhile
        try:
            return await self._attempt(ask, hear)
        except RefusedError as refused:
            if not is_plain(refused.refusal) or was_plain:
                raise fault_of(refused.refusal) from None
        self._plain.add(ask.model)
        try:
            return await self._attempt(ask, hear)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None

    async def _attempt(self, ask: Ask, hear: Hear | None) -> Reply:
        body = body_of(ask, self._plain)
        if hear is None:
            return reply_in(await self._wire.ask(self._url, self._headers, body))
        collected = _Collected()
        body["stream"] = True
        async with self._wire.stream(self._url, self._headers, body) as events:
            async for data in events:
                event = decoded(data, _Event)
                if event.type == "error":
                    raise fault_in_stream(decoded(data, dict))
                collected.take(event, hear)
        return collected.reply()


def body_of(ask: Ask, plain: PlainModels) -> dict[str, Any]:
    """The request for an answer; `plain` are the models that know no structured output."""
    body: dict[str, Any] = {
        "model": ask.model,
        "max_tokens": ask.max_tokens,
        "system": ask.prompt.system,
        "messages": [{"role": "user", "content": ask.prompt.user}],
    }
    if ask.model not in plain:
        body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
    return body


def is_plain(refusal: Refusal) -> bool:
    """Whether a model refused structured output, and nothing else."""
    return refusal.status == 400 and "output_config" in error_of(refusal).message


def reply_in(raw: bytes) -> Reply:
    """The answer that a whole document holds.

    Raises:
        ModelFault: There is none in it.
    """
    return _reply_of(decoded(raw, _Message))


def _reply_of(message: _Message) -> Reply:
    usage = _counted(message.usage)
    if message.stop_reason == "refusal":
        told = message.stop_details.explanation if message.stop_details else None
        raise ModelFault(FaultKind.REFUSED, (told or _REFUSED)[:300], usage=usage)
    return Reply(
        text="".join(block.text for block in message.content if block.type == "text"),
        usage=usage,
        model=message.model,
        is_cut_off=message.stop_reason in _CUT_OFF,
    )


def _counted(usage: _Usage) -> Usage:
    cached = usage.cache_read_input_tokens or 0
    fresh = (usage.input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Usage(
        input_tokens=fresh + cached, cached_tokens=cached, output_tokens=usage.output_tokens or 0
    )
