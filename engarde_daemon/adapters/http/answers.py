"""One answer in HTTP/1.1, as it is read from a connection.

Owns the bounds and the end of a message: a head of so many bytes at most, and a body that is whole
only where the message itself says so. https://www.rfc-editor.org/rfc/rfc9112#section-6.3
"""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httptools
import httpx
from anyio.abc import ByteStream

HEAD_BYTES_MAX = 65_536
CHUNK_BYTES = 65_536

_BROKE_OFF = "The server closed the connection before its answer was complete."


class Answer:
    """Status and headers of an answer, and its body as it comes; names of headers are lower-case."""

    def __init__(self, stream: ByteStream) -> None:
        self.status_code = 0
        self.headers: dict[str, str] = {}
        self.is_complete = False
        self._stream = stream
        self._chunks: list[bytes] = []
        self._has_head = self._is_kept = False
        self._parser: Any = httptools.HttpResponseParser(self)

    @property
    def is_reusable(self) -> bool:
        """Whether another question may go over the same connection."""
        return self.is_complete and self._is_kept

    async def read_head(self) -> None:
        """Read until the body begins.

        Raises:
            httpx.RequestError: The server sent no answer, or none that can be read.
        """
        size = 0
        while not self._has_head:
            size += await self._read()
            if size > HEAD_BYTES_MAX and not self._has_head:
                raise httpx.RemoteProtocolError("The head of the answer is too large.")

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        """Give the body, undecoded.

        Raises:
            httpx.RequestError: It broke off.
        """
        while True:
            chunks, self._chunks = self._chunks, []
            for chunk in chunks:
                yield chunk
            if self.is_complete:
                return
            await self._read()

    async def _read(self) -> int:
        try:
            data = await self._stream.receive(CHUNK_BYTES)
        except anyio.EndOfStream:
            self._end()
            return 0
        except (anyio.BrokenResourceError, OSError) as error:
            raise httpx.ReadError(_BROKE_OFF) from error
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise httpx.RemoteProtocolError("The answer is not in the form of HTTP.") from error
        return len(data)

    def _end(self) -> None:
        """The server hung up, which ends a body that has no other end."""
        is_bounded = self.headers.keys() & {"content-length", "transfer-encoding"}
        if not self._has_head or is_bounded:
            raise httpx.RemoteProtocolError(_BROKE_OFF)
        self.is_complete = True

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Something follows that nobody asked for, where an answer was here already."""
        if self._has_head:
            self._is_kept = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header of the answer; trailers are none."""
        if not self._has_head:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Begin with the body, unless this head only says that the answer will come."""
        status: int = self._parser.get_status_code()
        if status < 200:
            self.headers.clear()
        elif not self._has_head:
            self.status_code, self._has_head = status, True

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body until it is asked for."""
        if not self.is_complete:
            self._chunks.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole, where it was one; only now the parser knows how it goes on."""
        self._is_kept = self._has_head and not self.is_complete and self._parser.should_keep_alive()
        self.is_complete = self._has_head
