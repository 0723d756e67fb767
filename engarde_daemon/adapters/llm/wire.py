"""One call to a provider over HTTP: sent once, read as it comes, bounded in time and size.

Owns three rules: nothing is repeated here, a failure says whether the call may have been charged,
and neither key nor URL gets into what is told of it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias

import anyio
import httpx
import msgspec

from engarde_daemon.adapters.http import AddressRefusedError
from engarde_daemon.ports.models import FaultKind, ModelFault

ANSWER_BYTES = 4 * 1024 * 1024
REFUSAL_BYTES = 65_536
CLOSE_S = 1.0
LINES_TIMEOUT_S = 900.0
"""What thousands of answers may take to come down, where each is kept as it is read."""

_UNREADABLE = "The provider's answer is not in the form of its API."
_TOO_LARGE = "The provider's answer was larger than any piece of content."


File: TypeAlias = tuple[str, bytes, str]
"""A name, what is in it, and of which media type it is."""


class Refusal(msgspec.Struct, frozen=True):
    """An answer that is no success; its body is bounded and may be anything."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class RefusedError(Exception):
    """The provider answered with an error, which its adapter understands."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal.status))
        self.refusal = refusal


class Wire:
    """Carries requests of one provider's dialect."""

    def __init__(self, client: httpx.AsyncClient, *, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def ask(self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> bytes:
        """Send a question and give the whole answer.

        Raises:
            RefusedError: The provider says no.
            ModelFault: There was no answer, or none that can be read.
        """
        async with self._opened(self._question(url, headers, body)) as response:
            return b"".join([chunk async for chunk in _bounded(response)])

    async def fetch(self, url: str, headers: Mapping[str, str]) -> bytes:
        """Look something up.

        Raises:
            RefusedError: The provider says no.
            ModelFault: There was no answer, or none that can be read.
        """
        request = self._client.build_request("GET", _parsed(url), headers=dict(headers))
        async with self._opened(request) as response:
            return b"".join([chunk async for chunk in _bounded(response)])

    async def upload(
        self, url: str, headers: Mapping[str, str], *, fields: dict[str, str], file: File
    ) -> bytes:
        """Send a file as a form does.

        Raises:
            RefusedError: The provider says no.
            ModelFault: There was no answer, or none that can be read.
        """
        request = self._client.build_request(
            "POST", _parsed(url), data=fields, files={"file": file}, headers=dict(headers)
        )
        async with self._opened(request) as response:
            return b"".join([chunk async for chunk in _bounded(response)])

    def lines(
        self, url: str, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give a long answer line by line; only a single line is bounded in size.

        A context, because an answer that nobody reads to its end must be closed all the same.

        Raises:
            RefusedError: The provider says no.
            ModelFault: The answer broke off, or none came.
        """
        return aclosing(self._lines(url, headers))

    async def _lines(self, url: str, headers: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        request, rest = self._client.build_request("GET", _parsed(url), headers=dict(headers)), b""
        async with self._opened(request, timeout_s=LINES_TIMEOUT_S) as response:
            async for chunk in response.aiter_raw():
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > ANSWER_BYTES:
                    raise ModelFault(FaultKind.REJECTED, _TOO_LARGE)
                for line in filter(None, lines):
                    yield line
        if rest:
            yield rest

    def stream(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Send a question and give the data of each server-sent event as it comes.

        A context, because an answer that nobody reads to its end must be closed all the same.

        Raises:
            RefusedError: The provider says no.
            ModelFault: The answer broke off, or none came.
        """
        return aclosing(self._events(url, headers, body))

    async def _events(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> AsyncGenerator[bytes, None]:
        rest = b""
        async with self._opened(self._question(url, headers, body)) as response:
            async for chunk in _bounded(response):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    # Comments (": PROCESSING") and event names say nothing that data does not.
                    if line.startswith(b"data:"):
                        yield line[5:].strip()
        if rest.startswith(b"data:"):
            yield rest[5:].strip()

    def _question(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> httpx.Request:
        return self._client.build_request(
            "POST",
            _parsed(url),
            content=msgspec.json.encode(body),
            headers={**headers, "content-type": "application/json"},
        )

    @asynccontextmanager
    async def _opened(
        self, request: httpx.Request, *, timeout_s: float | None = None
    ) -> AsyncIterator[httpx.Response]:
        timeout_s = timeout_s or self._timeout_s
        try:
            with anyio.fail_after(timeout_s):
                response = await self._client.send(request, stream=True)
                try:
                    await _require_success(response)
                    yield response
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSE_S):
                        await response.aclose()
        except TimeoutError as error:
            told = f"The provider did not answer within {timeout_s:g} s."
            raise ModelFault(FaultKind.BROKEN, told) from error
        except AddressRefusedError as error:
            raise ModelFault(FaultKind.LOCKED, f"base_url: {error}") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            words = "The provider cannot be reached."
            raise ModelFault(FaultKind.BUSY, words) from error
        except httpx.RequestError as error:
            words = f"The provider's answer broke off ({type(error).__name__})."
            raise ModelFault(FaultKind.BROKEN, words) from error


async def _require_success(response: httpx.Response) -> None:
    if response.status_code == 200:
        return
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > REFUSAL_BYTES:
            break
    told = body[:REFUSAL_BYTES].replace(_key_in(response.request), b"[your key]")
    raise RefusedError(Refusal(response.status_code, response.headers, told))


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """Providers have few addresses; taking one apart costs a tenth of a call."""
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:  # stored before a rule became stricter
        raise ModelFault(FaultKind.LOCKED, "base_url: The URL cannot be read.") from error


def _key_in(request: httpx.Request) -> bytes:
    """The key that a request carries; some providers repeat it when they refuse it."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    return (request.headers.get("x-api-key") or bearer or "no key").encode()


async def _bounded(response: httpx.Response) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > ANSWER_BYTES:
            raise ModelFault(FaultKind.REJECTED, _TOO_LARGE)
        yield chunk


def decoded(raw: bytes, shape: Any) -> Any:
    """Read a document of a provider, of which only what `shape` names is looked at.

    Raises:
        ModelFault: It is not in that form.
    """
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelFault(FaultKind.BROKEN, _UNREADABLE) from error
