"""One call to a provider over HTTP: sent once, read as it comes, bounded in time and size.

Owns three rules: nothing is repeated here, a failure says whether the call may have been charged,
and neither key nor URL gets into what is told of it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, TypeAlias

import anyio
import httpx
import msgspec

from engarde_daemon.adapters.http import AddressRefusedError, Answer, Calls, Question
from engarde_daemon.ports.models import FaultKind, ModelFault

ANSWER_BYTES = 4 * 1024 * 1024
REFUSAL_BYTES = 65_536
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

    def __init__(self, calls: Calls, *, timeout_s: float) -> None:
        self._calls = calls
        self._timeout_s = timeout_s

    async def ask(self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> bytes:
        """Send a question and give the whole answer.

        Raises:
            RefusedError: The provider says no.
            ModelFault: There was no answer, or none that can be read.
        """
        async with self._asked(url, headers, body) as answer:
            return b"".join([chunk async for chunk in _bounded(answer)])

    async def fetch(self, url: str, headers: Mapping[str, str]) -> bytes:
        """Look something up.

        Raises:
            RefusedError: The provider says no.
            ModelFault: There was no answer, or none that can be read.
        """
        async with self._opened(Question("GET", url, headers)) as answer:
            return b"".join([chunk async for chunk in _bounded(answer)])

    async def upload(
        self, url: str, headers: Mapping[str, str], *, fields: dict[str, str], file: File
    ) -> bytes:
        """Send a file as a form does.

        Raises:
            RefusedError: The provider says no.
            ModelFault: There was no answer, or none that can be read.
        """
        form = httpx.Request("POST", "http://form", data=fields, files={"file": file})
        headers = {**headers, "content-type": form.headers["content-type"]}
        async with self._opened(Question("POST", url, headers, form.read())) as answer:
            return b"".join([chunk async for chunk in _bounded(answer)])

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
        rest = b""
        question = Question("GET", url, headers)
        async with self._opened(question, timeout_s=LINES_TIMEOUT_S) as answer:
            async for chunk in answer.aiter_raw():
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
        async with self._asked(url, headers, body) as answer:
            async for chunk in _bounded(answer):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    # Comments (": PROCESSING") and event names say nothing that data does not.
                    if line.startswith(b"data:"):
                        yield line[5:].strip()
        if rest.startswith(b"data:"):
            yield rest[5:].strip()

    def _asked(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[Answer]:
        headers = {**headers, "content-type": "application/json"}
        return self._opened(Question("POST", url, headers, msgspec.json.encode(body)))

    @asynccontextmanager
    async def _opened(
        self, question: Question, *, timeout_s: float | None = None
    ) -> AsyncIterator[Answer]:
        timeout_s = timeout_s or self._timeout_s
        try:
            with anyio.fail_after(timeout_s):
                async with self._calls.exchange(question) as answer:
                    if answer.status_code != 200:
                        raise RefusedError(await _refusal(answer, _key_in(question.headers)))
                    yield answer
        except TimeoutError as error:
            told = f"The provider did not answer within {timeout_s:g} s."
            raise ModelFault(FaultKind.BROKEN, told) from error
        except AddressRefusedError as error:
            raise ModelFault(FaultKind.LOCKED, f"base_url: {error}") from error
        except httpx.ConnectError as error:
            words = "The provider cannot be reached."
            raise ModelFault(FaultKind.BUSY, words) from error
        except httpx.RequestError as error:
            words = f"The provider's answer broke off ({type(error).__name__})."
            raise ModelFault(FaultKind.BROKEN, words) from error


async def _refusal(answer: Answer, key: bytes) -> Refusal:
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > REFUSAL_BYTES:
            break
    told = body[:REFUSAL_BYTES].replace(key, b"[your key]")
    return Refusal(answer.status_code, answer.headers, told)


def _key_in(headers: Mapping[str, str]) -> bytes:
    """The key that a request carries; some providers repeat it when they refuse it."""
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return (headers.get("x-api-key") or bearer or "no key").encode()


async def _bounded(answer: Answer) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in answer.aiter_raw():
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
