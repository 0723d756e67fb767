"""One call to a provider over HTTP: sent once, read as it comes, bounded in time and size.

Owns three rules: nothing is repeated here, a failure says whether the call may have been charged,
and neither key nor URL gets into what is told of it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

import anyio
import httpx
import msgspec

from engarde_daemon.adapters.http import AddressRefusedError, request_to
from engarde_daemon.ports.models import FaultKind, ModelFault

ANSWER_BYTES = 4 * 1024 * 1024
CLOSE_S = 1.0

_UNREADABLE = "The provider's answer is not in the form of its API."
_TOO_LARGE = "The provider's answer was larger than any piece of content."


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
        async with self._opened(url, headers, body) as response:
            return b"".join([chunk async for chunk in _bounded(response)])

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
        async with self._opened(url, headers, body) as response:
            async for chunk in _bounded(response):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    # Comments (": PROCESSING") and event names say nothing that data does not.
                    if line.startswith(b"data:"):
                        yield line[5:].strip()
        if rest.startswith(b"data:"):
            yield rest[5:].strip()

    @asynccontextmanager
    async def _opened(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> AsyncIterator[httpx.Response]:
        told = {**headers, "content-type": "application/json"}
        content = msgspec.json.encode(body)
        try:
            request = request_to(self._client, "POST", url, content=content, headers=told)
            with anyio.fail_after(self._timeout_s):
                response = await self._client.send(request, stream=True)
                try:
                    await _require_success(response)
                    yield response
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSE_S):
                        await response.aclose()
        except TimeoutError as error:
            words = f"The provider did not answer within {self._timeout_s:g} s."
            raise ModelFault(FaultKind.BROKEN, words) from error
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
        if len(body) > 65_536:
            break
    raise RefusedError(Refusal(response.status_code, response.headers, body[:65_536]))


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
