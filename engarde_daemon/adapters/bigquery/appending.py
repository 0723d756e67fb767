"""One connection to one stream of the Storage Write API.

Owns the order: requests reach the server in the order of their callers, several of them in flight,
and each caller gets the answer to its own. The server answers in order, so nobody has to sort: a
caller reads when all before it have read. A connection that broke is opened anew by the first
caller that waits; those behind it send again after it, each in its turn. Semantics:
https://cloud.google.com/bigquery/docs/write-api-streaming#exactly-once
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias, cast

import anyio
import grpc
from google.api_core.gapic_v1 import routing_header
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteAsyncClient
from google.cloud.bigquery_storage_v1.types import (
    AppendRowsRequest,
    AppendRowsResponse,
    ProtoRows,
    ProtoSchema,
)

from engarde_daemon.adapters.bigquery.hanging_up import HungUpError, hanging_up

# The server hangs up after ten idle minutes: https://cloud.google.com/bigquery/docs/write-api-best-practices
IDLE_S = 480.0
ATTEMPTS = 3
PAUSE_S = 0.2

_Call: TypeAlias = grpc.aio.StreamStreamCall[AppendRowsRequest, AppendRowsResponse]
_BROKEN = (grpc.aio.AioRpcError, asyncio.InvalidStateError, HungUpError)
# "This is expected and client is advised to reconnect", says the server when it restarts.
_PASSING = frozenset(
    {
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNKNOWN,
    }
)


class OutOfTurnError(Exception):
    """The rows before these, sent a moment earlier, did not get there; so these cannot either."""


class _Place:
    """A caller's place in the line: the call it wrote to, if any, and how it went."""

    __slots__ = ("call", "over", "stored")

    def __init__(self, call: _Call | None) -> None:
        self.call = call
        self.over = anyio.Event()
        self.stored = False


class AppendConnection:
    """Sends rows to a stream in the order of the calls, opening and reopening as needed."""

    def __init__(
        self,
        write: BigQueryWriteAsyncClient,
        stream: str,
        schema: ProtoSchema,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._write = write
        self._stream = stream
        self._schema = schema
        self._clock = clock
        self._sending = anyio.Lock()
        self._call: _Call | None = None
        self._last: _Place | None = None
        self._used_at = clock()

    async def append(self, offset: int, rows: Sequence[bytes]) -> AppendRowsResponse:
        """Send the rows and wait for the server's answer to them.

        Raises:
            AioRpcError: The server does not answer, or refuses the connection.
            HungUpError: The server ended the connection each time.
            OutOfTurnError: What was sent just before was not stored.
        """
        request = AppendRowsRequest(
            offset=offset,
            proto_rows=AppendRowsRequest.ProtoData(rows=ProtoRows(serialized_rows=rows)),
        )
        before, place = await self._line_up(request)
        answered = False
        try:
            await _turn_after(before)
            response = await self._answer(place, request)
            answered, place.stored = True, is_stored(response)
            return response
        finally:
            if not answered:  # its answer may still come, and must not be taken for another's
                self._give_up(place.call)
            place.over.set()

    def close(self) -> None:
        """End the connection; the next append opens another."""
        self._give_up(self._call)

    async def _line_up(self, request: AppendRowsRequest) -> tuple[_Place | None, _Place]:
        """Take a place in the line, and write ahead where all before have written to this call."""
        async with self._sending:
            before = None if self._last is None or self._last.over.is_set() else self._last
            call = None
            if before is None or self._is_current(before.call):
                with suppress(*_BROKEN):  # then it is sent when its turn has come
                    call = await self._send(request)
            self._last = place = _Place(call)
            return before, place

    async def _answer(self, place: _Place, request: AppendRowsRequest) -> AppendRowsResponse:
        attempt = 1
        while True:
            try:
                return await self._exchange(place, request)
            except _BROKEN as error:
                self._give_up(place.call)
                if attempt == ATTEMPTS or not _may_pass(error):
                    raise
            await anyio.sleep(PAUSE_S * attempt)
            attempt += 1

    async def _exchange(self, place: _Place, request: AppendRowsRequest) -> AppendRowsResponse:
        call = place.call
        if call is None or not self._is_current(call):
            async with self._sending:
                call = place.call = await self._send(request)
        async with hanging_up():
            response = await call.read()
        if response is grpc.aio.EOF:
            raise HungUpError
        self._used_at = self._clock()
        return cast("AppendRowsResponse", response)

    async def _send(self, request: AppendRowsRequest) -> _Call:
        call, idle_s = self._call, self._clock() - self._used_at
        if call is None or call.done() or idle_s > IDLE_S:
            self._give_up(call)
            call = self._call = self._open()
            request.write_stream = self._stream
            request.proto_rows.writer_schema = self._schema
        self._used_at = self._clock()
        async with hanging_up():
            await call.write(request)
        return call

    def _open(self) -> _Call:
        place = routing_header.to_grpc_metadata((("write_stream", self._stream),))
        # The transport's callable is the channel's own, whatever its annotation says (2.43.0).
        append_rows = cast("Callable[..., _Call]", self._write.transport.append_rows)
        return append_rows(metadata=(place,))

    def _is_current(self, call: _Call | None) -> bool:
        return call is self._call and call is not None and not call.done()

    def _give_up(self, call: _Call | None) -> None:
        if call is not None:
            call.cancel()
        if call is self._call:
            self._call = None


def is_stored(response: AppendRowsResponse) -> bool:
    """Whether the rows are in the table: by this request, or by one before it."""
    return response.error.code in {0, grpc.StatusCode.ALREADY_EXISTS.value[0]}


async def _turn_after(before: _Place | None) -> None:
    if before is not None:
        await before.over.wait()
        if not before.stored:
            raise OutOfTurnError


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, grpc.aio.AioRpcError) or error.code() in _PASSING
