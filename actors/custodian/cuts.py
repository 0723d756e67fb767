"""Streams of bytes, taken apart and put together again without being held."""

from collections.abc import AsyncIterator

from engarde_daemon.domain.media import HEAD_BYTES


class Cuts:
    """The parts of a stream, of a bounded size: each is read to its end before the next one is asked for."""

    def __init__(self, chunks: AsyncIterator[bytes], part_bytes: int) -> None:
        self._chunks = chunks
        self._part_bytes = part_bytes
        self._held = b""

    async def are_left(self) -> bool:
        """Whether there is another part, of one byte at least."""
        while not self._held:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                return False
            self._held = chunk
        return True

    async def next(self) -> AsyncIterator[bytes]:
        """The bytes of the next part."""
        left = self._part_bytes
        while left and await self.are_left():
            piece, self._held = self._held[:left], self._held[left:]
            left -= len(piece)
            yield piece


async def beheaded(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The beginning of a file, as long as it takes to know it, and the rest."""
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return head, chunks


async def whole(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Both, as if they had never been apart."""
    yield head
    async for chunk in rest:
        yield chunk
