"""What people type into a search box is taken apart as they mean it."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.search import Term, parse

WORD: Final = "word"
PHRASE: Final = "phrase"
PREFIX: Final = "prefix"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", []),
        ("  \n ", []),
        ("summer", [[Term(WORD, "summer")]]),
        ("Summer SALE", [[Term(WORD, "Summer"), Term(WORD, "SALE")]]),
        ('"summer sale" now', [[Term(PHRASE, "summer sale"), Term(WORD, "now")]]),
        ('"never closed', [[Term(PHRASE, "never closed")]]),
        ('""', []),
        ("sale -summer", [[Term(WORD, "sale"), Term(WORD, "summer", absent=True)]]),
        ('-"summer sale"', [[Term(PHRASE, "summer sale", absent=True)]]),
        ("well-known", [[Term(WORD, "well-known")]]),
        ("-", []),
        ("a - b", [[Term(WORD, "a"), Term(WORD, "b")]]),
        ("summ*", [[Term(PREFIX, "summ")]]),
        ("-summ*", [[Term(PREFIX, "summ", absent=True)]]),
        ("größ*", [[Term(PREFIX, "größ")]]),
        ("s*", [[Term(WORD, "s*")]]),
        ("*", [[Term(WORD, "*")]]),
        ("su*mmer", [[Term(WORD, "su*mmer")]]),
        ("a:b*", [[Term(WORD, "a:b*")]]),
        ("sun or rain", [[Term(WORD, "sun")], [Term(WORD, "rain")]]),
        ("sun OR rain", [[Term(WORD, "sun")], [Term(WORD, "rain")]]),
        ("or sun or", [[Term(WORD, "sun")]]),
        ("sun or or rain", [[Term(WORD, "sun")], [Term(WORD, "rain")]]),
        ("order", [[Term(WORD, "order")]]),
        ('"or"', [[Term(PHRASE, "or")]]),
        (
            'big "summer sale" or snow -boots',
            [
                [Term(WORD, "big"), Term(PHRASE, "summer sale")],
                [Term(WORD, "snow"), Term(WORD, "boots", absent=True)],
            ],
        ),
        ('say"cheese"', [[Term(WORD, "say"), Term(PHRASE, "cheese")]]),
    ],
)
def test_what_is_typed_has_a_meaning(typed: str, meant: list[list[Term]]):
    """Alternatives of terms, each a word, a phrase or a beginning."""
    assert parse(typed) == meant


@given(st.text(max_size=60))
def test_nothing_is_a_syntax_error(typed: str):
    """No alternative is empty, and no term without a text."""
    for alternative in parse(typed):
        assert alternative
        assert all(term.text for term in alternative)


@given(st.text(alphabet=st.characters(exclude_characters='"', categories=["L"]), min_size=1))
def test_a_quoted_text_is_one_phrase(typed: str):
    """Whatever it says, `or` included."""
    assert parse(f'"{typed}"') == [[Term(PHRASE, typed)]]
