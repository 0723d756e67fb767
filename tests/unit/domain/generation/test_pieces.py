"""Answers of models, from clean JSON to no JSON at all."""

import pytest

from engarde_daemon.domain.generation import Piece, tags_of
from engarde_daemon.domain.pieces import (
    BODY_CHARACTERS,
    HASHTAG_CHARACTERS,
    HASHTAGS_MAX,
    TITLE_CHARACTERS,
    piece_of,
)

WHOLE = '{"title": "Tea", "body": "Drink it.", "hashtags": ["#tea", "hot tea"]}'


@pytest.mark.parametrize("text", [WHOLE, f"```json\n{WHOLE}\n```", f"Here you are:\n{WHOLE}\nBye!"])
def test_json_is_found_in_whatever_stands_around_it(text: str):
    """Fences and politeness are not content; hashtags lose their signs and spaces."""
    assert piece_of(text, fallback_title="x") == Piece(
        title="Tea", body="Drink it.", hashtags=["tea", "hot", "tea"]
    )


def test_plain_text_is_the_body():
    """A model without structured output is paid as well."""
    found = piece_of("Drink #tea daily &#38;", fallback_title="Tea, no. 1")

    assert found == Piece(title="Tea, no. 1", body="Drink #tea daily &#38;", hashtags=["tea"])


@pytest.mark.parametrize("text", ["Fill in {} with #tea.", 'Send {"cup": 1} for #tea.'])
def test_braces_in_prose_are_prose(text: str):
    """A paid answer is not thrown away because it speaks of templates."""
    assert piece_of(text, fallback_title="x") == Piece(title="x", body=text, hashtags=["tea"])


def test_hashtags_are_whole_words_in_any_script():
    """With the marks that belong to their letters; a sign ends them."""
    told = '{"body": "b", "hashtags": ["हिन्दी", "#ภาษาไทย-ชา"]}'
    prose = "#हिन्दी #ชา, #(no) #38; a#b"

    structured, plain = piece_of(told, fallback_title="x"), piece_of(prose, fallback_title="x")

    assert structured is not None
    assert structured.hashtags == ["हिन्दी", "ภาษาไทย", "ชา"]
    assert plain is not None
    assert plain.hashtags == ["हिन्दी", "ชา", "38"]


def test_hashtags_are_bounded():
    """However many a text holds, and however long they are."""
    found = piece_of(" ".join(f"#tag{n}" for n in range(999)), fallback_title="x")
    long = piece_of('{"body": "b", "hashtags": ["%s"]}' % ("h" * 999), fallback_title="x")

    assert found is not None
    assert len(found.hashtags) == HASHTAGS_MAX
    assert long is not None
    assert [len(tag) for tag in long.hashtags] == [HASHTAG_CHARACTERS]


def test_whole_fields_of_a_broken_object_are_kept():
    """An answer that broke off after its body has a body."""
    broken = '{"title": "T\\u00e9a", "body": "Drink \\"it\\".", "hashtags": ["te'

    assert piece_of(broken, fallback_title="x") == Piece(title="Téa", body='Drink "it".')


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\x00",
        "{}",
        '{"body": ""}',
        '{"title": "only"}',
        '```json\n{"title": "T", "body": "cut',
        '{"title": "T", "body": "bad \\x escape", ',
        '{"body": 5}',
    ],
)
def test_what_could_not_be_published_is_no_piece(text: str):
    """Neither an empty body nor half of a JSON document becomes content."""
    assert piece_of(text, fallback_title="x") is None


def test_titles_and_bodies_are_bounded_and_hold_no_nul():
    """What the database could not hold is cut here."""
    text = '{"title": "%s", "body": "%s\\u0000", "hashtags": "#a #b"}' % ("t" * 999, "b" * 300_000)
    found = piece_of(text, fallback_title="x")

    assert found is not None
    assert (len(found.title), len(found.body)) == (TITLE_CHARACTERS, BODY_CHARACTERS)
    assert found.hashtags == ["a", "b"]
    assert "\x00" not in found.body


def test_hashtags_are_kept_once_and_with_their_sign():
    """As content has them."""
    assert tags_of(["tea", "#tea", "cup", " "]) == ("#tea", "#cup")
