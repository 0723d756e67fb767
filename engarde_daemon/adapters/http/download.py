"""Files fetched from URLs that tenants, or the servers they named, gave us.

Owns the bounds of a download: it goes only where the gate lets it, redirects included; it may take
only so long in all and hold only so many bytes, whatever its headers say; and nothing its server
claims of its type is believed.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from urllib.parse import unquote

import anyio
import httpx

from engarde_daemon.adapters.http.client import CLOSE_S
from engarde_daemon.adapters.http.guard import Gate
from engarde_daemon.adapters.http.names import AddressRefusedError
from engarde_daemon.domain.errors import Rejected, Retryable, Unavailable
from engarde_daemon.domain.media import FileTooLarge
from engarde_daemon.ports.media import Download

REDIRECTS_MAX = 3
RETRY_S = 30.0


class DownloadRefused(Rejected):
    """The URL leads where it may not, or its server gives no file for it."""

    type_ = "download_refused"
    title = "The file cannot be fetched"
    status = 422


class GuardedDownloads:
    """The `MediaSource` port; `client` must be one of `open_client` with this gate."""

    def __init__(
        self, client: httpx.AsyncClient, gate: Gate, *, timeout_s: float, bytes_max: int
    ) -> None:
        self._client = client
        self._gate = gate
        self._timeout_s = timeout_s
        self._bytes_max = bytes_max

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[Download]:
        """See `MediaSource.open`."""
        fault = self._gate.fault(url)
        if fault is not None:
            raise DownloadRefused(f"The URL {fault}.")
        with anyio.move_on_after(self._timeout_s) as scope, _translated():
            response = await self._client.send(self._client.build_request("GET", url), stream=True)
            try:
                _check(response)
                name = unquote(response.url.path).rpartition("/")[2]
                yield Download(chunks=self._bounded(response), file_name=name or None)
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSE_S):
                    await response.aclose()
        if scope.cancelled_caught:
            raise Unavailable(f"The file did not come within {self._timeout_s:g} s.")

    async def _bounded(self, response: httpx.Response) -> AsyncIterator[bytes]:
        came = 0
        async for chunk in response.aiter_raw():
            came += len(chunk)
            if came > self._bytes_max:
                raise FileTooLarge(self._bytes_max)
            yield chunk


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Retryable(f"The server of the file answers with {status}.", after_s=RETRY_S)
    if status != HTTPStatus.OK:
        raise DownloadRefused(f"The server of the file answers with {status}.")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise DownloadRefused("The server of the file sends it compressed, though not asked to.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except AddressRefusedError as error:
        raise DownloadRefused(str(error)) from error
    except httpx.TooManyRedirects as error:
        raise DownloadRefused(f"The URL redirects more than {REDIRECTS_MAX} times.") from error
    except httpx.RequestError as error:
        raise Unavailable("The server of the file does not answer, or not to its end.") from error
