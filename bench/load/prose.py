"""Prose that nobody wrote: as hard to compress as English is, never the same twice, and quick to make.

Words and set phrases of an invented language are drawn by Zipf's law, so that zstd at level 3 makes a
megabyte about three times smaller, as it does with English prose. Nothing repeats beyond a phrase.
"""

import random
from bisect import bisect
from itertools import accumulate

_ONSETS = [
    "b", "bl", "br", "c", "ch", "cl", "d", "dr", "f", "fl", "fr", "g", "gr", "h", "j", "k", "l", "m",
    "n", "p", "pl", "pr", "qu", "r", "s", "sc", "sh", "sp", "st", "str", "t", "th", "v", "w",
]  # fmt: skip
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ee", "ou", "oo", "é"]
_CODAS = ["", "", "", "n", "r", "s", "t", "l", "m", "d", "nd", "st", "ng", "ck"]
_ENDS = [" ", " ", " ", " ", " ", " ", ", ", ", ", ". ", ".\n\n"]
_TERMS = 10_000
_PHRASE_EVERY = 11
_DRAWS = 65_536
_DRAW_BYTES = 2


class Prose:
    """A language of its own for each seed, and texts in it."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        terms = self._terms()
        ranks = list(accumulate(1 / (rank + 3) for rank in range(len(terms))))
        # Term n stands in this table as often as Zipf's law has it, so that a draw is a look-up.
        self._drawn = [
            terms[bisect(ranks, (draw + 0.5) / _DRAWS * ranks[-1])] for draw in range(_DRAWS)
        ]

    def text(self, characters: int) -> str:
        """A text of that length."""
        draws = memoryview(self._chance.randbytes(characters // 4 * _DRAW_BYTES)).cast("H")
        return "".join(map(self._drawn.__getitem__, draws))[:characters]

    def _terms(self) -> list[str]:
        words = [self._word(1 + (rank > 150) + (rank > 3_000)) for rank in range(_TERMS)]
        return [self._term(rank, words) for rank in range(_TERMS)]

    def _word(self, syllables: int) -> str:
        pick = self._chance.choice
        return "".join(pick(_ONSETS) + pick(_VOWELS) + pick(_CODAS) for _ in range(syllables))

    def _term(self, rank: int, words: list[str]) -> str:
        """A word with what follows it, or a phrase of frequent words."""
        if rank % _PHRASE_EVERY:
            return words[rank] + self._chance.choice(_ENDS)
        return " ".join(self._chance.choices(words[:400], k=2)) + " "
