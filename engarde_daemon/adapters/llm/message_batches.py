"""Anthropic's message batches.

https://docs.claude.com/en/api/creating-message-batches

They carry no name of ours, only their items do, and those show when the batch has ended. So after a
crash the one that was made at that time, with as many items, is taken for ours until its first
answer proves it; what a batch of ours is known by already is passed over.

Owns where the key goes: results are fetched from an address of our own making, never from the
`results_url` that an answer names.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from engarde_daemon.adapters.llm.anthropic import (
    VERSION,
    PlainModels,
    body_of,
    is_plain,
    reply_in,
)
from engarde_daemon.adapters.llm.batch_lines import (
    CLOCKS_APART,
    NOT_DONE,
    PAGES_MAX,
    custom_id,
    number_in,
    safe,
)
from engarde_daemon.adapters.llm.faults import fault_of
from engarde_daemon.adapters.llm.wire import Refusal, RefusedError, Wire, decoded
from engarde_daemon.ports.batches import Outcome, Sought, Standing
from engarde_daemon.ports.models import Ask, FaultKind, ModelFault, Reply

PAGE = 100

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
}
"""The status that a single call would have had; without one an error is the provider's own."""
_SERVER = 500


class _Counts(msgspec.Struct):
    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def total(self) -> int:
        """How many items the batch has."""
        return self.processing + self.succeeded + self.errored + self.canceled + self.expired


class _Batch(msgspec.Struct):
    id: str
    processing_status: str
    created_at: Annotated[datetime, Meta(tz=True)]
    request_counts: _Counts = msgspec.field(default_factory=_Counts)


class _Page(msgspec.Struct):
    data: list[_Batch]
    has_more: bool = False


class _Result(msgspec.Struct):
    type: str
    message: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Line(msgspec.Struct):
    custom_id: str
    result: _Result


class _Cause(msgspec.Struct):
    type: str = ""


class _Error(msgspec.Struct):
    error: _Cause = msgspec.field(default_factory=_Cause)


class MessageBatches:
    """The `BatchModel` port over message batches."""

    def __init__(self, wire: Wire, *, base_url: str, api_key: str, plain: PlainModels) -> None:
        self._wire = wire
        self._url = f"{base_url.rstrip('/')}/v1/messages/batches"
        self._headers = {"x-api-key": api_key, "anthropic-version": VERSION}
        self._plain = plain

    async def submit(self, batch_id: str, asks: Mapping[int, Ask]) -> str:
        """See `BatchModel.submit`."""
        requests = [
            {"custom_id": custom_id(batch_id, number), "params": body_of(ask, self._plain)}
            for number, ask in asks.items()
        ]
        return safe((await self._told("", {"requests": requests})).id)

    async def find(self, sought: Sought) -> str | None:
        """See `BatchModel.find`; the newest come first."""
        oldest, after = sought.since - CLOCKS_APART, ""
        for _ in range(PAGES_MAX):
            page: _Page = await self._looked_up(f"?limit={PAGE}{after}", _Page)
            for batch in page.data:
                if batch.created_at < oldest:
                    return None
                if batch.request_counts.total == sought.items and batch.id not in sought.not_these:
                    return safe(batch.id)
            if not page.has_more or not page.data:
                return None
            after = f"&after_id={safe(page.data[-1].id)}"
        raise ModelFault(FaultKind.BROKEN, "The provider has more batches than can be looked at.")

    async def standing(self, name: str) -> Standing:
        """See `BatchModel.standing`."""
        batch: _Batch = await self._looked_up(f"/{safe(name)}", _Batch)
        return Standing(is_over=batch.processing_status == "ended")

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
        try:
            async with self._wire.lines(f"{self._url}/{safe(name)}/results", self._headers) as all_:
                async for line in all_:
                    told: _Line = decoded(line, _Line)
                    yield number_in(batch_id, told.custom_id), self._result(told.result, model)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None

    def _result(self, result: _Result, model: str) -> Reply | ModelFault:
        if result.type == "succeeded":
            try:
                return reply_in(bytes(result.message))
            except ModelFault as fault:
                return fault
        if result.type == "errored":
            return self._fault(bytes(result.error), model)
        return ModelFault(FaultKind.BUSY, NOT_DONE)

    def _fault(self, error: bytes, model: str) -> ModelFault:
        """What an error means; one that the next question will not meet is worth another try."""
        cause: _Error = decoded(error, _Error)
        refusal = Refusal(_STATUSES.get(cause.error.type, _SERVER), {}, error)
        fault = fault_of(refusal)
        if is_plain(refusal):
            self._plain.add(model)
            return ModelFault(FaultKind.BUSY, fault.detail)
        return fault

    async def _looked_up(self, path: str, shape: Any) -> Any:
        try:
            raw = await self._wire.fetch(f"{self._url}{path}", self._headers)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None
        return decoded(raw, shape)

    async def _told(self, path: str, body: Mapping[str, Any]) -> _Batch:
        try:
            raw = await self._wire.ask(f"{self._url}{path}", self._headers, body)
        except RefusedError as refused:
            raise fault_of(refused.refusal) from None
        batch: _Batch = decoded(raw, _Batch)
        return batch
