"""A stream of bytes, cut into lines of bounded length, with the checksum of what came before each."""

import hashlib
from collections.abc import Iterator


class Cutter:
    """Cuts lines out of chunks; one that is too long is given as None and held nowhere.

    While a line is looked at, `number` is its place in the stream, from 1, and `checksum` that of
    all lines above it.
    """

    def __init__(self, line_bytes_max: int) -> None:
        self.number = 0
        self._most = line_bytes_max
        self._held: list[bytes] = []
        self._size = 0
        self._digest = hashlib.sha256()

    @property
    def checksum(self) -> str:
        """The SHA-256 of the lines above, each with its newline."""
        return self._digest.hexdigest()

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """The lines that end in this chunk."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._hold(end)
            yield from self._cut()
        self._hold(rest)

    def end(self) -> Iterator[bytes | None]:
        """The line that nothing ended, if there is one."""
        if self._size:
            yield from self._cut()

    def _hold(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= self._most:
            self._held.append(piece)
            return
        for part in (*self._held, piece):
            self._digest.update(part)
        self._held = []

    def _cut(self) -> Iterator[bytes | None]:
        self.number += 1
        line = b"".join(self._held)
        yield line if self._size <= self._most else None
        self._digest.update(line)
        self._digest.update(b"\n")
        self._held, self._size = [], 0
