"""Google's clients, opened for one place.

Owns credentials and channels. The write client lives on the event loop; the REST client blocks, so
it is called in worker threads of its own, at most as many as its connection pool has room for.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import anyio
import google.auth
import grpc
from anyio import to_thread
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteAsyncClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcAsyncIOTransport,
)

from engarde_daemon.adapters.bigquery.denials import SEE_DATASET
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.refusals import refusals

THREADS = 4
CLOSING_S = 5.0
RETRYING_S = 3.0
_SCOPE = "https://www.googleapis.com/auth/bigquery"

_T = TypeVar("_T")


class Rest:
    """The REST client, called in worker threads; each call has its deadline."""

    def __init__(self, client: bigquery.Client, place: Place, *, timeout_s: float) -> None:
        self.place = place
        self.timeout_s = timeout_s
        self.retry = DEFAULT_RETRY.with_delay(0.2, 1.0, 2.0).with_timeout(RETRYING_S)
        self._client = client
        self._threads = anyio.CapacityLimiter(THREADS)

    async def run(self, work: Callable[[bigquery.Client], _T], *, needs: str) -> _T:
        """Do blocking work that needs this permission; its own calls bound its time.

        A caller that is cancelled goes at once; the thread ends with its call.

        Raises:
            Denied: Credentials or the permission are missing.
            Unavailable: BigQuery does not answer.
        """
        with refusals(self.place, needs=needs):
            return await to_thread.run_sync(
                work, self._client, limiter=self._threads, abandon_on_cancel=True
            )


@asynccontextmanager
async def opened_rest(place: Place, *, timeout_s: float) -> AsyncIterator[Rest]:
    """The REST client of a place; nothing is asked of BigQuery yet.

    Raises:
        Denied: There are no credentials.
    """
    client = bigquery.Client(
        project=place.project,
        credentials=await _credentials(place),
        location=place.location,
        client_options=ClientOptions(api_endpoint=place.endpoint or None),
        default_query_job_config=bigquery.QueryJobConfig(default_dataset=place.dataset_id),
    )
    try:
        yield Rest(client, place, timeout_s=timeout_s)
    finally:
        client.close()


@asynccontextmanager
async def opened_write(place: Place) -> AsyncIterator[BigQueryWriteAsyncClient]:
    """The client of the Storage Write API; it connects with its first call.

    Raises:
        Denied: There are no credentials.
    """
    client = await _write_client(place)
    try:
        yield client
    finally:
        with anyio.move_on_after(CLOSING_S, shield=True):
            await client.transport.close()


async def _write_client(place: Place) -> BigQueryWriteAsyncClient:
    if place.anonymous and place.write_endpoint:
        channel = grpc.aio.insecure_channel(place.write_endpoint)
        return BigQueryWriteAsyncClient(
            transport=BigQueryWriteGrpcAsyncIOTransport(channel=channel)
        )
    return BigQueryWriteAsyncClient(
        credentials=await _credentials(place),
        client_options=ClientOptions(api_endpoint=place.write_endpoint or None),
    )


async def _credentials(place: Place) -> Credentials:
    """The service account's credentials; looking for them may ask a metadata server."""
    if place.anonymous:
        return AnonymousCredentials()
    with refusals(place, needs=SEE_DATASET):
        find = partial(google.auth.default, scopes=[_SCOPE])
        credentials, _ = await to_thread.run_sync(find, abandon_on_cancel=True)
    return credentials
