"""What people type into a search box, taken apart.

Owns the grammar: words that must all be there, `"a phrase"`, `-absent`, `begin*`, and `or` between
alternatives. Whatever is typed means something; nothing is a syntax error.
"""

import re
from typing import Literal

import msgspec

PREFIX_CHARACTERS_MIN = 2

_PIECE = re.compile(r'(?P<absent>-?+)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_PREFIX = re.compile(rf"(?P<beginning>\w{{{PREFIX_CHARACTERS_MIN},}})\*")


class Term(msgspec.Struct, frozen=True, array_like=True):
    """One thing that must be found, or must not."""

    kind: Literal["word", "phrase", "prefix"]
    text: str
    absent: bool = False


def parse(text: str) -> list[list[Term]]:
    """The alternatives somebody asks for; all terms of one of them must hold."""
    alternatives: list[list[Term]] = [[]]
    for piece in _PIECE.finditer(text):
        if piece[0].lower() == "or":
            alternatives.append([])
        elif piece["phrase"] or piece["word"]:
            alternatives[-1].append(_term(piece))
    return [terms for terms in alternatives if terms]


def _term(piece: re.Match[str]) -> Term:
    absent = bool(piece["absent"])
    if piece["phrase"]:
        return Term("phrase", piece["phrase"], absent)
    prefix = _PREFIX.fullmatch(piece["word"])
    if prefix:
        return Term("prefix", prefix["beginning"], absent)
    return Term("word", piece["word"], absent)
