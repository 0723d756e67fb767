"""The archive in BigQuery, put together.

Owns the order in which its parts are opened and closed.
"""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import msgspec

from engarde_daemon.adapters.bigquery.clients import opened_rest, opened_write
from engarde_daemon.adapters.bigquery.loading import LoadJobs
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.queries import Queries
from engarde_daemon.adapters.bigquery.reader import BigQueryReader
from engarde_daemon.adapters.bigquery.schema import Schema
from engarde_daemon.adapters.bigquery.streams import WriteStreams
from engarde_daemon.adapters.bigquery.writer import BigQueryWriter, WritePace


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How long a call may take, and what a query may cost at most."""

    timeout_s: float = 30.0
    maximum_bytes_billed: int = 1024**4


class BigQueryArchive(BigQueryWriter, BigQueryReader):
    """Both sides of the archive in one dataset; `opened` gives one."""

    def __init__(
        self,
        schema: Schema,
        streams: WriteStreams,
        jobs: LoadJobs,
        *,
        queries: Queries,
        pace: WritePace,
        clock: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        BigQueryWriter.__init__(
            self, schema, streams, jobs, queries=queries, pace=pace, clock=clock, new_id=new_id
        )
        BigQueryReader.__init__(self, queries)


@asynccontextmanager
async def opened(
    place: Place,
    *,
    bounds: Bounds,
    pace: WritePace,
    clock: Callable[[], float] = anyio.current_time,
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> AsyncIterator[BigQueryArchive]:
    """The archive in one dataset; nothing is asked of BigQuery yet.

    Raises:
        Denied: There are no credentials.
    """
    async with AsyncExitStack() as resources:
        rest = await resources.enter_async_context(opened_rest(place, timeout_s=bounds.timeout_s))
        write = await resources.enter_async_context(opened_write(place))
        streams = WriteStreams(write, place, timeout_s=bounds.timeout_s, clock=clock)
        resources.callback(streams.close)
        queries = Queries(rest, maximum_bytes_billed=bounds.maximum_bytes_billed)
        yield BigQueryArchive(
            Schema(rest, queries),
            streams,
            LoadJobs(rest, clock=clock),
            queries=queries,
            pace=pace,
            clock=clock,
            new_id=new_id,
        )
