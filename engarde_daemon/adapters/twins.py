"""Texts that say nearly the same, found by MinHash over their words (library rensa).

Owns the bounds: no more jobs and pieces are remembered than fit a few megabytes, the oldest job is
forgotten first. What another daemon made of the same job is not known here.
"""

import re
from collections import OrderedDict

from rensa import RMinHash, RMinHashLSH

JOBS_MAX = 20
PIECES_MAX = 2000
ALIKE = 0.7
WORDS_IN_SHINGLE = 3

_PERMUTATIONS = 64
_BANDS = 16
_SEED = 7
_WORD = re.compile(r"\w+")


class MinHashTwins:
    """The `Twins` port."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, _Pieces] = OrderedDict()

    def twin_of(self, job_id: str, number: int, text: str) -> int | None:
        """See `Twins.twin_of`."""
        pieces = self._jobs.setdefault(job_id, _Pieces())
        self._jobs.move_to_end(job_id)
        if len(self._jobs) > JOBS_MAX:
            self._jobs.popitem(last=False)
        return pieces.twin_of(number, _hash_of(text))


class _Pieces:
    """The pieces of one job; the buckets say which are worth a comparison."""

    def __init__(self) -> None:
        self._hashes: OrderedDict[int, RMinHash] = OrderedDict()
        self._buckets = RMinHashLSH(threshold=ALIKE, num_perm=_PERMUTATIONS, num_bands=_BANDS)

    def twin_of(self, number: int, hashed: RMinHash) -> int | None:
        near = sorted(n for n in self._buckets.query(hashed) if n != number)
        twin = next((n for n in near if hashed.jaccard(self._hashes[n]) > ALIKE), None)
        if twin is None:
            self._remember(number, hashed)
        return twin

    def _remember(self, number: int, hashed: RMinHash) -> None:
        if number in self._hashes:
            self._buckets.remove(number)
        self._hashes[number] = hashed
        self._buckets.insert(number, hashed)
        if len(self._hashes) > PIECES_MAX:
            oldest, _ = self._hashes.popitem(last=False)
            self._buckets.remove(oldest)


def _hash_of(text: str) -> RMinHash:
    words = _WORD.findall(text.casefold())
    last = max(1, len(words) - WORDS_IN_SHINGLE + 1)
    hashed = RMinHash(num_perm=_PERMUTATIONS, seed=_SEED)
    hashed.update([" ".join(words[n : n + WORDS_IN_SHINGLE]) for n in range(last)])
    return hashed
