"""Streams of the Storage Write API: opened, appended to, finalized.

Owns what an answer of the server means for a batch. ALREADY_EXISTS is the success of an earlier
attempt, because an offset belongs to one batch for ever; whatever says that the stream is of no
more use becomes `StreamLost`. https://cloud.google.com/bigquery/docs/write-api-streaming
"""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import anyio
import grpc
from google.api_core import exceptions
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteAsyncClient
from google.cloud.bigquery_storage_v1.types import (
    AppendRowsResponse,
    ProtoSchema,
    StorageError,
    WriteStream,
)
from google.rpc import status_pb2

from engarde_daemon.adapters.bigquery.appending import AppendConnection, OutOfTurnError, is_stored
from engarde_daemon.adapters.bigquery.denials import WRITE_ROWS
from engarde_daemon.adapters.bigquery.hanging_up import HungUpError, hanging_up
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.refusals import refusals
from engarde_daemon.domain.errors import ArchiveUnavailable, StreamLost
from engarde_daemon.ports.archive import Appended, ArchiveTable, StreamState

REASON_CHARACTERS = 300
# What a gRPC server takes by default. BigQuery takes more; servers that stand in for it may not.
GRPC_BYTES = 4_000_000

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_Reason = StorageError.StorageErrorCode
_STREAM_IS_OVER = frozenset(
    {
        _Reason.STREAM_ALREADY_COMMITTED,
        _Reason.STREAM_NOT_FOUND,
        _Reason.INVALID_STREAM_STATE,
        _Reason.INVALID_STREAM_TYPE,
        _Reason.STREAM_FINALIZED,
        _Reason.OFFSET_OUT_OF_RANGE,
    }
)
# Where no reason comes along: each of these says that this stream will not take this offset.
_OVER_BY_CODE = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.OUT_OF_RANGE,
    }
)


class TooLargeError(Exception):
    """The request may have been too large for the server."""


class WriteStreams:
    """The streams this daemon writes, each with a connection of its own."""

    def __init__(
        self,
        write: BigQueryWriteAsyncClient,
        place: Place,
        *,
        timeout_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._write = write
        self._place = place
        self._timeout_s = timeout_s
        self._clock = clock
        self._connections: dict[str, AppendConnection] = {}

    async def look(self, table: ArchiveTable) -> None:
        """Look at the stream that every table has, only to see whether the API answers.

        Raises:
            Denied: The permission to look is missing.
            Unavailable: The API does not answer.
        """
        async with self._calling():
            await self._write.get_write_stream(
                name=f"{self._place.table_path(table)}/streams/_default",
                retry=None,
                timeout=self._timeout_s,
            )

    async def open(self, table: ArchiveTable) -> str:
        """Begin a committed stream: what it takes is visible at once, and exactly once.

        Raises:
            Denied: The permission to write is missing.
            Unavailable: The API does not answer.
        """
        async with self._calling():
            stream = await self._write.create_write_stream(
                parent=self._place.table_path(table),
                write_stream=WriteStream(type_=WriteStream.Type.COMMITTED),
                retry=None,
                timeout=self._timeout_s,
            )
        return stream.name

    async def append(
        self, stream: str, offset: int, *, schema: ProtoSchema, rows: Sequence[bytes]
    ) -> Appended:
        """Store the rows at this offset, unless they are there already.

        Raises:
            Denied: The permission to write is missing.
            StreamLost: The stream is finalized, expired, or misses rows before these.
            TooLargeError: The server may have found the request too large.
            Unavailable: The API does not answer, or rows before these have yet to arrive.
        """
        connection = self._connections.get(stream)
        if connection is None:
            connection = AppendConnection(self._write, stream, schema, clock=self._clock)
            self._connections[stream] = connection
        size = sum(map(len, rows))
        async with self._calling():
            with _refusals_of(stream, size), anyio.fail_after(self._timeout_s):
                return _outcome(stream, await connection.append(offset, rows))

    async def finalize(self, stream: str) -> StreamState:
        """Let the stream take nothing more and count its rows, as far as BigQuery still knows it.

        Raises:
            Denied: The permission to write is missing.
            Unavailable: The API does not answer.
        """
        self.forget(stream)
        async with self._calling():
            try:
                state = await self._write.finalize_write_stream(
                    name=stream, retry=None, timeout=self._timeout_s
                )
            except (exceptions.BadRequest, exceptions.NotFound):
                return StreamState(rows=None)
        return StreamState(rows=state.row_count)

    def forget(self, stream: str) -> None:
        """Hang up on a stream that is not written any more."""
        if connection := self._connections.pop(stream, None):
            connection.close()

    def close(self) -> None:
        """Hang up on all of them."""
        for stream in list(self._connections):
            self.forget(stream)

    @asynccontextmanager
    async def _calling(self) -> AsyncIterator[None]:
        """Translate what can end a call.

        Raises:
            Denied: The permission to write is missing.
            Unavailable: The API does not answer, or hung up.
        """
        try:
            with refusals(self._place, needs=WRITE_ROWS):
                async with hanging_up():
                    yield
        except HungUpError as error:
            raise ArchiveUnavailable("The Storage Write API of BigQuery hung up.") from error


@contextmanager
def _refusals_of(stream: str, size_bytes: int) -> Iterator[None]:
    """Translate what is special to appending.

    Raises:
        StreamLost: The server refuses the stream.
        TooLargeError: It has no room for requests of this size.
        Unavailable: Rows before these have yet to arrive.
    """
    try:
        yield
    except grpc.aio.AioRpcError as error:
        if error.code() in _OVER_BY_CODE:
            raise _lost(stream) from error
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and size_bytes > GRPC_BYTES:
            raise TooLargeError from error
        raise
    except OutOfTurnError as error:
        raise ArchiveUnavailable("The batch before this one has yet to be stored.") from error


def _outcome(stream: str, response: AppendRowsResponse) -> Appended:
    if is_stored(response):
        return Appended()
    if response.row_errors:
        return Appended(
            {error.index: error.message[:REASON_CHARACTERS] for error in response.row_errors}
        )
    code = _CODES.get(response.error.code, grpc.StatusCode.UNKNOWN)
    reason = _reason_of(AppendRowsResponse.pb(response).error)
    if reason in _STREAM_IS_OVER or (reason is None and code in _OVER_BY_CODE):
        raise _lost(stream)
    if reason is _Reason.SCHEMA_MISMATCH_EXTRA_FIELDS:
        raise ArchiveUnavailable(
            "A table of BigQuery lacks columns: they are added at the next start."
        )
    raise exceptions.from_grpc_status(code, response.error.message)


def _lost(stream: str) -> StreamLost:
    return StreamLost(f"BigQuery takes nothing more at this place of the stream {stream}.")


def _reason_of(status: status_pb2.Status) -> StorageError.StorageErrorCode | None:
    for detail in status.details:
        told = StorageError.pb(StorageError())
        if detail.Unpack(told):
            return _Reason(told.code)
    return None
