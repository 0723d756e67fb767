"""Texts that say nearly the same, found by MinHash over their words (library rensa).

Owns the bounds: no more jobs and pieces are remembered than fit a few megabytes, the oldest job is
forgotten first. What another daemon made of the same job is not known here.
"""

import re
from collections import OrderedDict

from rensa import RMinHash

JOBS_MAX = 20
PIECES_MAX = 2000
ALIKE = 0.7
WORDS_IN_SHINGLE = 3

_PERMUTATIONS = 64
_SEED = 7
_WORD = re.compile(r"\w+")


class MinHashLikeness:
    """The `Likeness` port."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, OrderedDict[int, RMinHash]] = OrderedDict()

    def twin_of(self, job_id: str, number: int, text: str) -> int | None:
        """See `Likeness.twin_of`."""
        pieces = self._pieces_of(job_id)
        hashed = _hash_of(text)
        alike = (n for n, other in pieces.items() if n != number and hashed.jaccard(other) > ALIKE)
        twin = next(alike, None)
        if twin is None:
            pieces[number] = hashed
            if len(pieces) > PIECES_MAX:
                pieces.popitem(last=False)
        return twin

    def _pieces_of(self, job_id: str) -> OrderedDict[int, RMinHash]:
        pieces = self._jobs.setdefault(job_id, OrderedDict())
        self._jobs.move_to_end(job_id)
        if len(self._jobs) > JOBS_MAX:
            self._jobs.popitem(last=False)
        return pieces


def _hash_of(text: str) -> RMinHash:
    words = _WORD.findall(text.casefold())
    last = max(1, len(words) - WORDS_IN_SHINGLE + 1)
    hashed = RMinHash(num_perm=_PERMUTATIONS, seed=_SEED)
    hashed.update([" ".join(words[n : n + WORDS_IN_SHINGLE]) for n in range(last)])
    return hashed
