"""Words and phrases, in scripts with and without spaces."""

import unicodedata

import pytest

from engarde_daemon.domain.words import PLACES_MAX, folded, says, words_of


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Our cheap\n tea!", "Cheap Tea"),
        ("EN  GARDE!", "en garde"),
        ("Nimm die Straße.", "STRASSE"),
        ("A cafe\u0301 nearby", "café"),
        ("这是最好的茶", "最好"),
        ("当社の紅茶は最高です", "最高"),
        ("치즈는 맛있다", "치즈"),
        ("ชานี้ดีที่สุดในโลก", "ดีที่สุด"),
        ("用iPhone吧", "iphone"),
        ("teapot, tea", "tea"),
        ("100 % pure", "100 %"),
    ],
)
def test_a_phrase_is_found_in_any_script(text: str, phrase: str):
    """Whatever its capitals, its spaces and its composition."""
    assert says(folded(text), folded(phrase))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("A team.", "tea"),
        ("steam", "tea"),
        ("हिन्दी", "हिन्द"),
        ("en gardens", "en garde"),
        ("", "tea"),
    ],
)
def test_a_part_of_a_word_is_no_phrase(text: str, phrase: str):
    """Also where what follows is a vowel sign, which is no letter of its own."""
    assert not says(folded(text), folded(phrase))


def test_there_is_an_end_to_looking():
    """A text that is made to be looked at for ever is given up."""
    inside = "steam" * PLACES_MAX

    assert says(f"{inside[5:]} tea", "tea")
    assert not says(f"{inside} tea", "tea")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#hot tea", ["hot", "tea"]),
        ("#हिन्दी", ["हिन्दी"]),
        ("#ภาษาไทย", ["ภาษาไทย"]),
        ("#می\u200cخواهم", ["می\u200cخواهم"]),
        (unicodedata.normalize("NFD", "café"), [unicodedata.normalize("NFD", "café")]),
        ("☕\ufe0ftea", ["tea"]),
        ("\u0301tea_time", ["tea_time"]),
        ("\u0301 - ", []),
    ],
)
def test_words_keep_the_marks_of_their_letters(text: str, words: list[str]):
    """A mark without a letter before it belongs to no word."""
    assert words_of(text) == words
