"""HTTP clients for URLs that tenants name.

Owns what no caller can forget: a name is resolved once, all its addresses are checked, and the
connection goes to one of those, so that a second answer of the name server changes nothing; TLS
and the Host header still mean the name. Each redirect comes here again. No answer takes more time
or bytes than was allowed. Proxies of the environment are not used, for they would resolve names.
"""

from collections.abc import Mapping
from typing import Any

import anyio
import httpcore
import httpx
import msgspec

from engarde_daemon.adapters.http.guard import Gate
from engarde_daemon.adapters.http.lanes import Lanes
from engarde_daemon.adapters.http.names import (
    AddressRefusedError,
    Names,
    Resolve,
    UnknownHostError,
    system_resolver,
)

CONNECT_S = 3.0
CLOSE_S = 1.0


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much an exchange may take, redirects included."""

    timeout_s: float
    body_bytes: int


class Reply(msgspec.Struct, frozen=True):
    """An answer; of its body, undecoded, no more than was allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def open_client(
    gate: Gate,
    *,
    connections: int,
    redirects_max: int = 0,
    resolve: Resolve = system_resolver,
) -> httpx.AsyncClient:
    """A client that goes only where the gate lets it; close it like any other."""
    return httpx.AsyncClient(
        transport=_GuardedTransport(gate, _PinningBackend(gate, resolve), connections=connections),
        headers={"accept-encoding": "identity"},
        follow_redirects=redirects_max > 0,
        max_redirects=redirects_max,
        timeout=None,  # noqa: S113 - `exchange` bounds the whole
        trust_env=False,
    )


def request_to(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
) -> httpx.Request:
    """A request that is not sent yet.

    Raises:
        AddressRefusedError: The URL is none; one that was stored before a rule became stricter.
    """
    try:
        return client.build_request(method, url, content=content, headers=dict(headers))
    except httpx.InvalidURL as error:
        raise AddressRefusedError("The URL cannot be read.") from error


async def exchange(client: httpx.AsyncClient, request: httpx.Request, bounds: Bounds) -> Reply:
    """Send a request and read its answer.

    Raises:
        TimeoutError: It took too long.
        AddressRefusedError: The URL, or one it redirected to, leads where it may not.
        httpx.RequestError: There was no answer.
    """
    with anyio.fail_after(bounds.timeout_s):
        response = await client.send(request, stream=True)
        try:
            body = await _read(response, bounds.body_bytes)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSE_S):
                await response.aclose()
    return Reply(response.status_code, response.headers, body)


async def _read(response: httpx.Response, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk[: most - len(body)]
        if len(body) == most:
            break
    return bytes(body)


class _GuardedTransport(httpx.AsyncBaseTransport):
    """Looks at each URL, redirects too, and connects through a backend of ours."""

    def __init__(self, gate: Gate, backend: "_PinningBackend", *, connections: int) -> None:
        self._gate = gate
        self._lanes = Lanes(backend, connections=connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self._gate.fault_of(request.url)
        if fault is not None:
            raise AddressRefusedError(f"The URL {fault}.", request=request)
        return await self._lanes.least_taken().handle_async_request(request)

    async def aclose(self) -> None:
        await self._lanes.close()


class _PinningBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, never to a name."""

    def __init__(self, gate: Gate, resolve: Resolve) -> None:
        self._names = Names(gate, resolve)
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(  # noqa: PLR0917 - httpcore's own signature
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - see above
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        del timeout, local_address, socket_options  # `exchange` and the gate decide
        try:
            addresses = await self._names.addresses(host, port)
        except UnknownHostError as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in addresses[:-1]:
            try:
                return await self._sockets.connect_tcp(str(address), port, CONNECT_S)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue  # the next one may answer
        return await self._sockets.connect_tcp(str(addresses[-1]), port, CONNECT_S)
