"""Which pieces of a job say nearly the same, told by the signatures of their texts (MinHash).

Owns the order: a piece is the twin of one that was answered before it, never of a later one, so that
of two that come at once exactly one yields, whichever daemons wrote them.

A byte of a signature is the same in two texts as often as their words are. Signatures are cut into
bands, and only pieces that have a whole band in common are compared: of pieces just alike enough
98 in 100 are found so, and hardly a pair of others is looked at.
http://infolab.stanford.edu/~ullman/mmds/ch3.pdf, 3.4
"""

from collections.abc import Iterator
from operator import eq

import msgspec

ALIKE = 0.7
SIGNATURE_BYTES = 64
_BAND_BYTES = 4


class SignedAnswer(msgspec.Struct, frozen=True):
    """The signature of an item's latest answer, None where it was given up, and its place."""

    job_id: str
    number: int
    place: int
    signature: bytes | None


class Answers:
    """The answers of one job, told in their order.

    Each band knows the first piece that had it: whatever else has it is alike to that one, mostly.
    That bounds both the memory for a piece and what it is compared with.
    """

    def __init__(self) -> None:
        self.last_place = 0
        self._latest: dict[int, SignedAnswer] = {}
        self._first: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._latest)

    def add(self, answer: SignedAnswer) -> None:
        """Take in the next answer, which may be to an item that had one before."""
        self.last_place = answer.place
        self._forget(answer.number)
        if answer.signature is None:
            return
        self._latest[answer.number] = answer
        for band in _bands_of(answer.signature):
            self._first.setdefault(band, answer.number)

    def twin_of(self, number: int) -> int | None:
        """The number of the earliest piece before this one that is like it."""
        own = self._latest.get(number)
        if own is None or own.signature is None:
            return None
        near = {self._first.get(band, number) for band in _bands_of(own.signature)}
        earlier = [other for n in near if (other := self._latest[n]).place < own.place]
        alike = [other for other in earlier if _are_alike(own.signature, other.signature or b"")]
        return min(alike, key=lambda other: other.place).number if alike else None

    def _forget(self, number: int) -> None:
        known = self._latest.pop(number, None)
        for band in _bands_of(known.signature or b"") if known else ():
            if self._first.get(band) == number:
                del self._first[band]


def _bands_of(signature: bytes) -> Iterator[int]:
    """Each band as a number, which its place in the signature makes its own."""
    for start in range(0, len(signature), _BAND_BYTES):
        yield start << 32 | int.from_bytes(signature[start : start + _BAND_BYTES], "big")


def _are_alike(one: bytes, other: bytes) -> bool:
    return sum(1 for same in map(eq, one, other) if same) > ALIKE * SIGNATURE_BYTES
