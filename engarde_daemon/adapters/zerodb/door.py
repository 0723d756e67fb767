"""The way to a ZeroDB server: one request after the other through a door of limited width.

Owns the bounds of everything that goes through: how long a call may take with its repetitions, how
many are under way, how many bytes are read; and obedience to a server that asks for a pause, which
holds for all calls. A call that changes something is repeated only if nothing can have come of it,
or if doing it twice is doing it once. No word of an error answer leaves this module.
"""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import random
from typing import NamedTuple

import anyio
import httpx
import msgspec

from engarde_daemon.adapters.zerodb.dialects import Call
from engarde_daemon.adapters.zerodb.refusals import (
    Broke,
    NotReached,
    OutcomeUnknown,
    Paused,
    Refused,
    Throttled,
    TooMuch,
)
from engarde_daemon.adapters.zerodb.retry_after import seconds_to_wait

ANSWER_BYTES_MAX = 64 * 1024**2
PAUSES_S = (0.1, 0.4)
CLOSE_S = 1.0
# Below the 5 s after which uvicorn, which runs zerodb-local, closes an idle connection.
IDLE_S = 4.0

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_MISLED = {404, 405}
_UNAUTHORISED = {401, 403}
_REQUEST_ID = re.compile(r"[\w-]{1,64}")


class Rhythm(NamedTuple):
    """Where time and chance come from."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    chance: Callable[[], float] = random


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which server is called, and how much may go on at once; the key is not shown."""

    base_url: str
    api_key: str = ""
    auth_scheme: str = "x-api-key"
    timeout_s: float = 10.0
    concurrency: int = 8

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return httpx.URL(self.base_url).netloc.decode()

    @property
    def is_exposed(self) -> bool:
        """Whether the key travels over a network in plain text."""
        url = httpx.URL(self.base_url)
        return bool(self.api_key) and url.scheme == "http" and url.host not in _LOOPBACK

    def headers(self) -> dict[str, str]:
        """What proves to the server who calls; never both ways, which it may refuse."""
        if not self.api_key:
            return {}
        if self.auth_scheme == "bearer":
            return {"authorization": f"Bearer {self.api_key}"}
        return {"x-api-key": self.api_key}

    def __repr__(self) -> str:
        """Keep the key out of logs and tracebacks."""
        return f"Place({self.host})"


class _Answer(NamedTuple):
    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def story(self) -> str:
        """What may be told of a failure: numbers, and a name under which the server logged it."""
        known = _REQUEST_ID.fullmatch(self.headers.get("x-request-id", ""))
        return f"status {self.status}" + (f", request {known[0]}" if known else "")


class Door:
    """Carries calls to one server; close it at the end."""

    def __init__(self, place: Place, rhythm: Rhythm | None = None) -> None:
        self.place = place
        self._rhythm = rhythm or Rhythm()
        self._closed_until = 0.0
        self._slots = anyio.Semaphore(place.concurrency)
        self._client = httpx.AsyncClient(
            headers={
                **place.headers(),
                "content-type": "application/json",
                "accept-encoding": "identity",  # so that bytes can be counted
            },
            limits=httpx.Limits(max_connections=place.concurrency, keepalive_expiry=IDLE_S),
            timeout=None,  # noqa: S113 - `ask` bounds the whole
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSE_S):
            await self._client.aclose()

    async def ask(self, call: Call, *, below: str = "") -> bytes:
        """Do what a call says and give the answer; `below` is the part of the path before it.

        Raises:
            NotReached: The server did not begin with it.
            Paused: The server asked not to be called for a while.
            OutcomeUnknown: It may have been done or not.
            Refused: The server will not do it.
            TooMuch: The answer is too large.
        """
        body = b"" if call.body is None else msgspec.json.encode(call.body)
        request = self._client.build_request(
            call.method, f"{self.place.base_url}{below}{call.path}", content=body
        )
        try:
            with anyio.fail_after(self.place.timeout_s):
                return await self._until_answered(request, repeatable=call.repeatable)
        except TimeoutError:
            raise OutcomeUnknown(
                f"ZeroDB at {self.place.host} did not answer within {self.place.timeout_s:g} s."
            ) from None

    async def _until_answered(self, request: httpx.Request, *, repeatable: bool) -> bytes:
        for pause_s in PAUSES_S:
            jittered_s = pause_s * (0.5 + self._rhythm.chance())
            try:
                return await self._once(request)
            except NotReached:
                if not _is_time_for(jittered_s):
                    raise
            except OutcomeUnknown:
                if not (repeatable and _is_time_for(jittered_s)):
                    raise
            await anyio.sleep(jittered_s)
        return await self._once(request)

    async def _once(self, request: httpx.Request) -> bytes:
        await self._wait_for_opening()
        async with self._slots:
            answer = await self._exchange(request)
        return self._judged(answer)

    async def _wait_for_opening(self) -> None:
        rest_s = self._closed_until - self._rhythm.clock()
        if rest_s > self.place.timeout_s:
            raise Paused(
                f"ZeroDB at {self.place.host} asked for a pause of another {rest_s:.0f} s.",
                after_s=rest_s,
            )
        if rest_s > 0:
            await anyio.sleep(rest_s)

    async def _exchange(self, request: httpx.Request) -> _Answer:
        try:
            response = await self._client.send(request, stream=True)
            try:
                body = await self._read(response)
            finally:
                with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSE_S):
                    await response.aclose()
        except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
            raise NotReached(
                f"ZeroDB cannot be reached at {self.place.host}: "
                "start it there, or mend [zerodb] base_url."
            ) from error
        except httpx.RequestError as error:
            raise OutcomeUnknown(
                f"ZeroDB at {self.place.host} broke off ({type(error).__name__})."
            ) from error
        return _Answer(response.status_code, response.headers, body)

    async def _read(self, response: httpx.Response) -> bytes:
        if not response.is_success:  # what it says is for nobody's eyes
            return b""
        chunks, size = [], 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > ANSWER_BYTES_MAX:
                raise TooMuch(f"ZeroDB answered with more than {ANSWER_BYTES_MAX} bytes.")
            chunks.append(chunk)
        return b"".join(chunks)

    def _judged(self, answer: _Answer) -> bytes:
        status = answer.status
        if 200 <= status < 300:
            return answer.body
        host = self.place.host
        retry_after = answer.headers.get("retry-after")
        if status == 429 or (status == 503 and retry_after):
            self._close_for(seconds_to_wait(retry_after, self._rhythm.now()))
        if status == 429:
            raise Throttled(f"ZeroDB at {host} gets too many requests.", after_s=self._rest_s())
        if status == 500:
            raise Broke(f"ZeroDB at {host} failed ({answer.story}).")
        if status > 500:
            raise OutcomeUnknown(f"ZeroDB at {host} failed ({answer.story}).")
        raise Refused(f"ZeroDB at {host} refused ({answer.story}){_advice(status)}.", code=status)

    def _close_for(self, pause_s: float) -> None:
        self._closed_until = max(self._closed_until, self._rhythm.clock() + pause_s)

    def _rest_s(self) -> float:
        return max(self._closed_until - self._rhythm.clock(), 0.0)


def _is_time_for(pause_s: float) -> bool:
    return anyio.current_time() + pause_s < anyio.current_effective_deadline()


def _advice(status: int) -> str:
    if status in _UNAUTHORISED:
        return ": look at [zerodb] api_key, auth_scheme and project_id"
    if status in _MISLED:
        return ": look at [zerodb] mode, base_url and project_id"
    return ""
