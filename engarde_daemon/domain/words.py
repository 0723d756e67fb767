r"""What a word is, in any script, and whether a text says a phrase.

Owns two rules that everything about phrases and hashtags rests on. A word goes on over the marks that
belong to its letters, such as the vowel signs of Hindi, which Python's `\w` does not know. And a
phrase stands in a text only as whole words, except where a script puts no spaces between them.
https://www.unicode.org/reports/tr18/#Compatibility_Properties (word),
https://www.unicode.org/reports/tr29/#Word_Boundaries
"""

import re
import unicodedata
from itertools import dropwhile, groupby

PLACES_MAX = 1_000
"""How often a phrase may stand in the middle of a word before it is not looked for any more."""

_MARKS = frozenset({"Mn", "Mc"})
_JOINERS = frozenset("\u200c\u200d")
# They choose how the emoji before them looks, and are marks only by their category.
_VARIANTS = range(0xFE00, 0xFE10)
# Thai, Lao, Burmese, Khmer, Korean (whose words carry their endings), kana and Chinese characters.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u318f\u3400-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff]"
)


def folded(text: str) -> str:
    """A text as it is compared: capitals, composition and kinds of space make no difference."""
    return " ".join(unicodedata.normalize("NFC", text.casefold()).split())


def says(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase as whole words; both are `folded`."""
    place = text.find(phrase)
    for _ in range(PLACES_MAX):
        if place < 0:
            return False
        end = place + len(phrase)
        begins = _is_apart(text[place - 1 : place], phrase[:1])
        if begins and _is_apart(text[end : end + 1], phrase[-1:]):
            return True
        place = text.find(phrase, place + 1)
    return False


def words_of(text: str) -> list[str]:
    """The words of a text, without what stands between them."""
    runs = (run for is_word, run in groupby(text, _is_of_word) if is_word)
    return [word for run in runs if (word := "".join(dropwhile(_is_mark, run)))]


def _is_apart(outer: str, inner: str) -> bool:
    """Whether a phrase may end between a character of its own and the one beside it."""
    if not outer or not _is_of_word(outer):
        return True
    return _UNSPACED.match(outer) is not None or _UNSPACED.match(inner) is not None


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_" or _is_mark(character)


def _is_mark(character: str) -> bool:
    if character in _JOINERS:
        return True
    return unicodedata.category(character) in _MARKS and ord(character) not in _VARIANTS
