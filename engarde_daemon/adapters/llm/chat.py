"""OpenAI's chat completions, and every server that speaks like them (vLLM, Ollama, OpenRouter).

https://platform.openai.com/docs/api-reference/chat

Owns the differences between servers: which name the token limit goes by, whether a temperature may
be sent, whether structured output is known. One that is found out is remembered for its model.
"""

from typing import Any

import msgspec

from engarde_daemon.adapters.llm.faults import error_of, fault_in_stream, fault_of
from engarde_daemon.adapters.llm.wire import Refusal, RefusedError, Wire, decoded
from engarde_daemon.domain.generation import Usage
from engarde_daemon.domain.pieces import SCHEMA
from engarde_daemon.ports.models import Ask, FaultKind, Hear, ModelFault, Reply

NAME = "content_piece"
MODELS_MAX = 1000
TOKEN_FIELDS = ("max_completion_tokens", "max_tokens")
"""What the limit of an answer is called: by OpenAI today, and by it before and others still."""

_UNSUPPORTED = frozenset({"unsupported_parameter", "unsupported_value"})
_FLAWS_MAX = 3
_FILTERED = "The provider's content filter stopped the answer."


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None

    def usage(self) -> Usage:
        details = self.prompt_tokens_details
        return Usage(
            input_tokens=self.prompt_tokens,
            output_tokens=self.completion_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
        )


class _Said(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Said | None = None
    delta: _Said | None = None
    finish_reason: str | None = None


class _Chat(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    model: str | None = None
    error: Any = None


class _Collected:
    """An answer as it grows."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.refusal = ""
        self.finish: str | None = None
        self.usage: Usage | None = None
        self.model = ""

    def take(self, chat: _Chat, hear: Hear | None) -> None:
        self.model = chat.model or self.model
        self.usage = chat.usage.usage() if chat.usage else self.usage
        for choice in chat.choices[:1]:
            said = choice.delta or choice.message or _Said()
            self.finish = choice.finish_reason or self.finish
            self.refusal += said.refusal or ""
            if said.content:
                self.text.append(said.content)
                if hear is not None:
                    hear(said.content)

    def reply(self) -> Reply:
        if self.refusal or self.finish == "content_filter":
            told = self.refusal[:300] or _FILTERED
            raise ModelFault(FaultKind.REFUSED, told, usage=self.usage)
        return Reply(
            text="".join(self.text),
            usage=self.usage,
            model=self.model,
            is_cut_off=self.finish == "length",
        )


class Habits:
    """What was found out about a server's models, for as long as the daemon lives."""

    def __init__(self, *, token_field: str) -> None:
        self._token_field = token_field
        self._flaws: dict[str, frozenset[str]] = {}

    def body(self, ask: Ask) -> dict[str, Any]:
        """The request that a model is known to take."""
        flaws = self._flaws.get(ask.model, frozenset())
        swapped = self._token_field in flaws
        body: dict[str, Any] = {
            "model": ask.model,
            "messages": [
                {"role": "system", "content": ask.prompt.system},
                {"role": "user", "content": ask.prompt.user},
            ],
            _other(self._token_field) if swapped else self._token_field: ask.max_tokens,
        }
        if ask.temperature is not None and "temperature" not in flaws:
            body["temperature"] = ask.temperature
        if "response_format" not in flaws:
            schema = {"name": NAME, "strict": True, "schema": SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    def learn(self, model: str, refused: str) -> bool:
        """Note a field that a model refuses; false where that is no news."""
        known = self._flaws.get(model, frozenset())
        field = self._field(refused)
        if field in known or field not in {self._token_field, "temperature", "response_format"}:
            return False
        if len(self._flaws) >= MODELS_MAX:  # names are tenants' to choose
            self._flaws.clear()
        self._flaws[model] = known | {field}
        return True

    def _field(self, refused: str) -> str:
        field = refused.split(".", maxsplit=1)[0]
        return self._token_field if field in TOKEN_FIELDS else field

    def learn_from(self, model: str, refusal: Refusal) -> bool:
        """Note what a refusal says a model does not take; false where that is no news."""
        return _is_flaw(refusal) and self.learn(model, error_of(refusal).param)

    def is_mended(self, model: str, refusal: Refusal) -> bool:
        """Note the same; whether the next question will be another, be it news or not."""
        if not _is_flaw(refusal):
            return False
        field = error_of(refusal).param
        return self.learn(model, field) or self._field(field) in self._flaws.get(model, ())


class ChatModel:
    """The `LanguageModel` port over chat completions."""

    def __init__(self, wire: Wire, *, base_url: str, api_key: str | None, habits: Habits) -> None:
        self._wire = wire
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._habits = habits

    async def write(self, ask: Ask, hear: Hear | None = None) -> Reply:
        """See `LanguageModel.write`.

        A refusal of a field is the one answer after which it asks again at once: nothing was
        generated, and nothing was charged. That is so as well where another call was refused for it
        first: many begin together, and each is asked anew as what is known by then.
        """
        for _ in range(_FLAWS_MAX):
            body = self._habits.body(ask)
            try:
                return await self._attempt(body, hear)
            except RefusedError as refused:
                self._habits.learn_from(ask.model, refused.refusal)
                if self._habits.body(ask) == body:
                    raise fault_of(refused.refusal) from None
        try:
            return await self._attempt(self._habits.body(ask), hear)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None

    async def _attempt(self, body: dict[str, Any], hear: Hear | None) -> Reply:
        if hear is None:
            return reply_in(await self._wire.ask(self._url, self._headers, body))
        collected = _Collected()
        streamed = body | {
            "stream": True,
            "stream_options": {"include_usage": True, "include_obfuscation": False},
        }
        async with self._wire.stream(self._url, self._headers, streamed) as events:
            async for data in events:
                if data == b"[DONE]":
                    break
                collected.take(_read(data), hear)
        if collected.finish is None:
            raise ModelFault(FaultKind.BROKEN, "The answer broke off before its end.")
        return collected.reply()


def reply_in(raw: bytes) -> Reply:
    """The answer that a whole document holds.

    Raises:
        ModelFault: There is none in it.
    """
    collected = _Collected()
    collected.take(_read(raw), None)
    return collected.reply()


def _read(raw: bytes) -> _Chat:
    """One document of a chat; an error in it came with status 200, as OpenRouter sends it."""
    chat: _Chat = decoded(raw, _Chat)
    if chat.error is not None:
        raise fault_in_stream({"error": chat.error})
    return chat


def _is_flaw(refusal: Refusal) -> bool:
    error = error_of(refusal)
    is_unknown = error.codes & _UNSUPPORTED or error.param.startswith("response_format")
    return refusal.status == 400 and bool(is_unknown)


def _other(field: str) -> str:
    return next(name for name in TOKEN_FIELDS if name != field)
