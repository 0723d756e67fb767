"""OpenAI's batches: a file of questions goes up, files of answers and of errors come down.

https://platform.openai.com/docs/guides/batch, .../api-reference/batch

A batch carries our name for it in its metadata, by which it is found again.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import msgspec

from engarde_daemon.adapters.llm import chat, responses
from engarde_daemon.adapters.llm.batch_lines import (
    CLOCKS_APART,
    NOT_DONE,
    PAGES_MAX,
    custom_id,
    number_in,
    safe,
)
from engarde_daemon.adapters.llm.faults import error_in, fault_of, told_by
from engarde_daemon.adapters.llm.wire import Refusal, RefusedError, Wire, decoded
from engarde_daemon.ports.batches import Outcome, Sought, Standing
from engarde_daemon.ports.models import Ask, FaultKind, ModelFault, Reply

PAGE = 100
TAG = "engarde_batch"

_OVER = frozenset({"completed", "expired", "cancelled", "failed"})
_TOO_MUCH_QUEUED = "token_limit_exceeded"


class _File(msgspec.Struct):
    id: str


class _Errors(msgspec.Struct):
    data: list[dict[str, Any]] = []


class _Batch(msgspec.Struct):
    id: str
    status: str
    created_at: int = 0
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: _Errors | None = None
    metadata: dict[str, str] | None = None


class _Page(msgspec.Struct):
    data: list[_Batch]
    has_more: bool = False


class _Answer(msgspec.Struct):
    status_code: int
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Line(msgspec.Struct):
    custom_id: str
    response: _Answer | None = None


class BatchDialect(msgspec.Struct, frozen=True):
    """How the questions of a batch are written, and its answers read."""

    path: str
    body: Callable[[Ask], dict[str, Any]]
    reply_in: Callable[[bytes], Reply]
    is_mended: Callable[[str, Refusal], bool]


def chat_dialect(habits: chat.Habits) -> BatchDialect:
    """Chat completions, with what is known of the models."""
    return BatchDialect("/v1/chat/completions", habits.body, chat.reply_in, habits.is_mended)


def responses_dialect() -> BatchDialect:
    """Responses."""
    return BatchDialect(
        "/v1/responses", responses.body_of, responses.reply_in, lambda _model, _refusal: False
    )


class OpenAIBatches:
    """The `BatchModel` port over OpenAI's batches."""

    def __init__(self, wire: Wire, *, base_url: str, api_key: str, dialect: BatchDialect) -> None:
        self._wire = wire
        self._base_url = base_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {api_key}"}
        self._dialect = dialect

    async def submit(self, batch_id: str, asks: Mapping[int, Ask]) -> str:
        """See `BatchModel.submit`; a file without its batch costs nothing and goes by itself."""
        try:
            raw = await self._wire.upload(
                f"{self._base_url}/files",
                self._headers,
                fields={"purpose": "batch"},
                file=(f"{batch_id}.jsonl", self._questions(batch_id, asks), "application/jsonl"),
            )
        except ModelFault as fault:
            raise _harmless(fault) from None
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None
        order = {
            "input_file_id": decoded(raw, _File).id,
            "endpoint": self._dialect.path,
            "completion_window": "24h",
            "metadata": {TAG: batch_id},
        }
        return safe((await self._told("", order)).id)

    async def find(self, sought: Sought) -> str | None:
        """See `BatchModel.find`; the newest come first."""
        oldest = (sought.since - CLOCKS_APART).timestamp()
        after = ""
        for _ in range(PAGES_MAX):
            page = await self._page(after)
            for batch in page.data:
                if (batch.metadata or {}).get(TAG) == sought.id:
                    return safe(batch.id)
            if not page.has_more or not page.data or page.data[-1].created_at < oldest:
                return None
            after = f"&after={safe(page.data[-1].id)}"
        raise ModelFault(FaultKind.BROKEN, "The provider has more batches than can be looked at.")

    async def standing(self, name: str) -> Standing:
        """See `BatchModel.standing`."""
        batch = await self._batch(name)
        fault = _refused(batch) if batch.status == "failed" else None
        return Standing(is_over=batch.status in _OVER, fault=fault)

    async def cancel(self, name: str) -> None:
        """See `BatchModel.cancel`."""
        await self._told(f"/{safe(name)}/cancel", {})

    def outcomes(
        self, batch_id: str, name: str, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[Outcome]]:
        """See `BatchModel.outcomes`."""
        return aclosing(self._outcomes(batch_id, name, model))

    async def _outcomes(
        self, batch_id: str, name: str, model: str
    ) -> AsyncGenerator[Outcome, None]:
        batch = await self._batch(name)
        for file in filter(None, (batch.output_file_id, batch.error_file_id)):
            url = f"{self._base_url}/files/{safe(file)}/content"
            try:
                async with self._wire.lines(url, self._headers) as lines:
                    async for line in lines:
                        told: _Line = decoded(line, _Line)
                        number = number_in(batch_id, told.custom_id)
                        yield number, self._result(told.response, model)
            except RefusedError as refused:
                raise fault_of(refused.refusal) from None

    def _result(self, answer: _Answer | None, model: str) -> Reply | ModelFault:
        if answer is None:
            return ModelFault(FaultKind.BUSY, NOT_DONE)
        if answer.status_code != 200:
            return self._fault(Refusal(answer.status_code, {}, bytes(answer.body)), model)
        try:
            return self._dialect.reply_in(bytes(answer.body))
        except ModelFault as fault:
            return fault

    def _fault(self, refusal: Refusal, model: str) -> ModelFault:
        """What an error means; one that the next question will not meet is worth another try."""
        fault = fault_of(refusal)
        if self._dialect.is_mended(model, refusal):
            return ModelFault(FaultKind.BUSY, fault.detail)
        return fault

    def _questions(self, batch_id: str, asks: Mapping[int, Ask]) -> bytes:
        lines = (
            {
                "custom_id": custom_id(batch_id, number),
                "method": "POST",
                "url": self._dialect.path,
                "body": self._dialect.body(ask),
            }
            for number, ask in asks.items()
        )
        return b"\n".join(map(msgspec.json.encode, lines))

    async def _batch(self, name: str) -> _Batch:
        batch: _Batch = await self._looked_up(f"/{safe(name)}", _Batch)
        return batch

    async def _page(self, after: str) -> _Page:
        page: _Page = await self._looked_up(f"?limit={PAGE}{after}", _Page)
        return page

    async def _looked_up(self, path: str, shape: Any) -> Any:
        try:
            raw = await self._wire.fetch(f"{self._base_url}/batches{path}", self._headers)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None
        return decoded(raw, shape)

    async def _told(self, path: str, body: Mapping[str, Any]) -> _Batch:
        try:
            raw = await self._wire.ask(f"{self._base_url}/batches{path}", self._headers, body)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None
        batch: _Batch = decoded(raw, _Batch)
        return batch


def _harmless(fault: ModelFault) -> ModelFault:
    """A fault before anything could have been ordered."""
    kind = FaultKind.BUSY if fault.kind is FaultKind.BROKEN else fault.kind
    return ModelFault(kind, fault.detail, after_s=fault.after_s)


def _refused(batch: _Batch) -> ModelFault:
    """Why a batch was not begun; too much in the queue passes, a wrong file does not."""
    errors = batch.errors.data if batch.errors else []
    error = error_in(errors[0]) if errors else error_in({})
    passes = _TOO_MUCH_QUEUED in error.codes
    kind = FaultKind.BUSY if passes else FaultKind.REJECTED
    return ModelFault(kind, told_by(error, "the batch failed"))
