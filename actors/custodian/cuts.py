"""A stream of bytes, cut into parts of a bounded size without being held."""

from collections.abc import AsyncIterator


class Cuts:
    """The parts of a stream: each is read to its end before the next one is asked for."""

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
