"""What fake providers have in common: a script of reactions, and the book of what was asked.

Owns the count: a call is written down when it came in whole, and charged when its answer began,
whether or not anybody was left to read it.
"""

import json
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import anyio
import msgspec

from engarde_daemon.testing.models.batches import Outcome, Request, Shop

_END: Any = {"type": "http.response.body", "body": b"", "more_body": False}


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """How one call is answered; the usual way where nothing is said."""

    text: str | None = None
    status: int = 200
    code: str = ""
    retry_after: str | None = None
    delay_s: float = 0.0
    held_until: anyio.Event | None = None
    """The answer waits for it."""
    refusal: str = ""
    is_cut_off: bool = False
    raw: bytes | None = None
    """The body instead of a well-formed one."""
    breaks_after: int | None = None
    """After how many parts of a stream the connection is cut."""
    error_after: int | None = None
    """After how many parts of a stream an error comes, with status 200 long sent."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One call as it came in."""

    number: int
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class Refused(Exception):
    """The request is not what the API documents; `body` is the error as the provider writes it."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(status))
        self.status = status
        self.body = body


class FakeProvider(ABC):
    """An ASGI application; subclasses know the dialect."""

    api_key = "sk-test"

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.charged = 0
        self.output_tokens = 0
        self.in_flight = 0
        self.in_flight_max = 0
        self.usual = Reaction()
        self.next_reactions: deque[Reaction] = deque()
        self.react: Callable[[Asked], Reaction] | None = None
        self.shop = Shop()
        self._news = anyio.Event()

    def forget(self) -> None:
        """Begin anew, as if nothing had been asked or told."""
        FakeProvider.__init__(self)

    @property
    def calls(self) -> int:
        """How many well-formed calls there were."""
        return len(self.asked)

    async def called(self, count: int) -> None:
        """Wait until there were this many calls."""
        while self.calls < count:
            await self._news.wait()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one call."""
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        request = Request(
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode())),
            headers=headers,
            raw=await _body(receive),
        )
        try:
            told = self._of_others(request)
            if told is not None:
                await _answer(send, 200, told)
                return
            document = self.check(request.method, request.path, headers=headers, raw=request.raw)
        except Refused as refused:
            await _answer(send, refused.status, refused.body)
            return
        asked = Asked(number=self.calls + 1, path=scope["path"], headers=headers, body=document)
        self._write_down(asked)
        try:
            await self._react(asked, self._reaction(asked), send)
        finally:
            self.in_flight -= 1

    @abstractmethod
    def require_key(self, headers: Mapping[str, str]) -> None:
        """Look at the key.

        Raises:
            Refused: It is not the one.
        """

    @abstractmethod
    def batches(self, request: Request) -> dict[str, Any] | bytes | None:
        """The answer to a request about batches, None where it is about something else.

        Raises:
            Refused: Something is not as it is documented.
        """

    @abstractmethod
    def models(self) -> dict[str, Any]:
        """The list of models, of which there is one."""

    @abstractmethod
    def check_question(self, path: str, document: dict[str, Any]) -> None:
        """Look at what is asked of a model.

        Raises:
            Refused: Something is not as it is documented.
        """

    def work(self, path: str, body: dict[str, Any]) -> Outcome:
        """Answer one item of a batch."""
        try:
            self.check_question(path, body)
        except Refused as refused:
            return Outcome("errored", refused.status, refused.body)
        asked = Asked(number=self.calls + 1, path=path, headers={}, body=body)
        self.asked.append(asked)
        reaction = self._reaction(asked)
        if reaction.status != 200:
            error = self.error(reaction.status, reaction.code)
            return Outcome("errored", reaction.status, error)
        self.charged += 1
        return Outcome("succeeded", 200, self.document(asked, reaction))

    def _of_others(self, request: Request) -> dict[str, Any] | bytes | None:
        """Serve what generates nothing at once; an order may be refused, or taken unheard."""
        if (request.method, request.path) == ("GET", "/v1/models"):
            self.require_key(request.headers)
            if self.usual.status != 200:
                raise Refused(self.usual.status, self.error(self.usual.status, self.usual.code))
            return self.models()
        if "batches" not in request.path and "files" not in request.path:
            return None
        self.require_key(request.headers)
        is_order = request.method == "POST" and request.path.endswith("/batches")
        if is_order and self.shop.next_refused:
            status, code = self.shop.next_refused.popleft()
            raise Refused(status, self.error(status, code))
        told = self.batches(request)
        if is_order and self.shop.next_unheard:
            status = self.shop.next_unheard.popleft()
            raise Refused(status, self.error(status, ""))
        return told

    @abstractmethod
    def check(
        self, method: str, path: str, *, headers: Mapping[str, str], raw: bytes
    ) -> dict[str, Any]:
        """The body of a good request.

        Raises:
            Refused: Something is not as it is documented.
        """

    @abstractmethod
    def document(self, asked: Asked, reaction: Reaction) -> dict[str, Any]:
        """A whole answer."""

    @abstractmethod
    def events(self, asked: Asked, reaction: Reaction) -> list[bytes]:
        """The same as a stream."""

    @abstractmethod
    def error(self, status: int, code: str) -> dict[str, Any]:
        """An error as this provider writes it."""

    @abstractmethod
    def stream_error(self) -> bytes:
        """An error in the middle of a stream."""

    def text_for(self, asked: Asked, reaction: Reaction) -> str:
        """What the model writes: a piece that tells its number."""
        if reaction.text is not None:
            return reaction.text
        number = asked.number
        return json.dumps(
            {"title": f"Piece {number}", "body": f"Written as {number}.", "hashtags": ["tea"]}
        )

    def _reaction(self, asked: Asked) -> Reaction:
        if self.next_reactions:
            return self.next_reactions.popleft()
        return self.react(asked) if self.react else self.usual

    def _write_down(self, asked: Asked) -> None:
        self.asked.append(asked)
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        self._news.set()
        self._news = anyio.Event()

    async def _react(self, asked: Asked, reaction: Reaction, send: Any) -> None:
        if reaction.delay_s:
            await anyio.sleep(reaction.delay_s)
        if reaction.held_until:
            await reaction.held_until.wait()
        if reaction.status != 200:
            error = self.error(reaction.status, reaction.code)
            await _answer(send, reaction.status, error, retry_after=reaction.retry_after)
            return
        self.charged += 1
        self.output_tokens += len(self.text_for(asked, reaction).split())
        if reaction.raw is not None:
            await _answer(send, 200, reaction.raw)
        elif asked.body.get("stream"):
            await self._stream(asked, reaction, send)
        else:
            await _answer(send, 200, self.document(asked, reaction))

    async def _stream(self, asked: Asked, reaction: Reaction, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for part in self._parts(asked, reaction):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        if reaction.breaks_after is None:
            await send(_END)

    async def _parts(self, asked: Asked, reaction: Reaction) -> AsyncIterator[bytes]:
        for number, part in enumerate(self.events(asked, reaction)):
            if number == reaction.breaks_after:
                return
            if number == reaction.error_after:
                yield self.stream_error()
                return
            yield part


def read_json(
    headers: Mapping[str, str], raw: bytes, refused: Callable[[str], Refused]
) -> dict[str, Any]:
    """The document of a request.

    Raises:
        Refused: It is none, or was not said to be one.
    """
    if headers.get("content-type", "").partition(";")[0] != "application/json":
        raise refused("The Content-Type must be application/json.")
    try:
        document = json.loads(raw)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise refused("The body is no JSON object.")
    return document


async def _body(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _answer(
    send: Any, status: int, document: dict[str, Any] | bytes, *, retry_after: str | None = None
) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = [(b"content-type", b"application/json")]
    if retry_after is not None:
        headers.append((b"retry-after", retry_after.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
