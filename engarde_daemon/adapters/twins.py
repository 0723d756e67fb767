"""Signatures of texts, made by MinHash over their words (library rensa).

Owns the form of a signature, which is stored: with other permutations, words or another seed the
signatures of live jobs would match no more. One byte of each hash is kept: two that differ share it
once in 256 times, which costs the comparison nothing.
"""

import re

from rensa import RMinHash

from engarde_daemon.domain.twins import SIGNATURE_BYTES

WORDS_IN_SHINGLE = 3

_SEED = 7
_WORD = re.compile(r"\w+")


def sign(text: str) -> bytes:
    """The signature of a text; capitals and punctuation make no difference to it."""
    words = _WORD.findall(text.casefold())
    last = max(1, len(words) - WORDS_IN_SHINGLE + 1)
    hashed = RMinHash(num_perm=SIGNATURE_BYTES, seed=_SEED)
    hashed.update([" ".join(words[n : n + WORDS_IN_SHINGLE]) for n in range(last)])
    return bytes(one & 0xFF for one in hashed.digest())
