"""A Storage Write API that answers as a test tells it, for what the emulator never says.

It is a gRPC server on loopback, spoken to by Google's own client: only its answers are made up.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import grpc
from google.cloud.bigquery_storage_v1.types import (
    AppendRowsRequest,
    AppendRowsResponse,
    StorageError,
)
from google.protobuf import any_pb2
from google.rpc import status_pb2

_SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"


class WriteApi:
    """Takes appends and answers them in order; `connections` counts how often a stream was opened."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.offsets: list[int] = []
        self.held: anyio.Event | None = None
        self.answers: deque[AppendRowsResponse | grpc.StatusCode] = deque()

    async def append(
        self, requests: AsyncIterator[AppendRowsRequest], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[AppendRowsResponse]:
        """Answer each request with what was told, or with success."""
        self.connections += 1
        async for request in requests:
            self.offsets.append(request.offset)
            answer = self.answers.popleft() if self.answers else AppendRowsResponse()
            if self.held:
                await self.held.wait()
            if isinstance(answer, grpc.StatusCode):
                await context.abort(answer, "as the test wants it")
            yield answer


@asynccontextmanager
async def write_api() -> AsyncIterator[WriteApi]:
    """A server that runs as long as the context."""
    api, server = WriteApi(), grpc.aio.server()
    append = grpc.stream_stream_rpc_method_handler(
        api.append, AppendRowsRequest.deserialize, AppendRowsResponse.serialize
    )
    handler = grpc.method_handlers_generic_handler(_SERVICE, {"AppendRows": append})
    server.add_generic_rpc_handlers((handler,))
    api.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield api
    finally:
        await server.stop(grace=None)


def error(
    code: grpc.StatusCode, reason: int | None = None, message: str = ""
) -> AppendRowsResponse:
    """An answer that says no, with BigQuery's own reason where there is one."""
    status = status_pb2.Status(code=code.value[0], message=message)
    if reason is not None:
        detail = any_pb2.Any()
        detail.Pack(StorageError.pb(StorageError(code=reason)))
        status.details.append(detail)
    return AppendRowsResponse(error=status)
