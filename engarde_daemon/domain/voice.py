"""How a brand speaks: what generated content has to keep to, and what it is checked against.

Owns the rule that a voice never contradicts itself: what no text could satisfy is refused when it
is written down, not when content fails it.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from engarde_daemon.domain.errors import FieldError
from engarde_daemon.domain.words import folded, says

GRADE_MAX = 18

# RFC 5646: a language, then subtags for script, region and variants.
Language = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}(?!\n)$", max_length=35),
]
Phrase = Annotated[str, Meta(min_length=1, max_length=200)]
Phrases = Annotated[list[Phrase], Meta(max_length=500)]
# One word, without the sign: every platform ends a hashtag at the first space or sign. Beside letters
# there are the marks of scripts that write vowels or accents as such, which `\w` does not know.
Hashtag = Annotated[
    str,
    Meta(
        pattern=r"^[\w\u0300-\u036f\u0591-\u06ed\u0900-\u109f\u1780-\u17d3\u200c\u200d]"
        r"{1,100}(?!\n)$"
    ),
]
Hashtags = Annotated[list[Hashtag], Meta(max_length=100)]
Amount = Annotated[int, Meta(ge=0, le=100)]


class HashtagRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many hashtags a text carries, and which."""

    min: Amount = 0
    max: Amount = 30
    required: Hashtags = []
    banned: Hashtags = []


class EmojiRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many emojis a text may carry; `max` is None where that is left open."""

    allowed: bool = True
    max: Amount | None = None


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that may be said only where it is proved; without a proof it may not be said."""

    phrase: Phrase
    proof: Annotated[str, Meta(max_length=2000)] | None = None


class Voice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The voice profile of a brand.

    `reading_level` is the US school grade that a reader needs at most (Flesch-Kincaid).
    """

    tone: Annotated[str, Meta(max_length=2000)] = ""
    language: Language = "en"
    reading_level: Annotated[int, Meta(ge=1, le=GRADE_MAX)] | None = None
    banned_phrases: Phrases = []
    required_phrases: Phrases = []
    hashtags: HashtagRule = HashtagRule()
    emojis: EmojiRule = EmojiRule()
    claims: Annotated[list[Claim], Meta(max_length=200)] = []


def contradictions(voice: Voice) -> Iterator[FieldError]:
    """Everything in a voice that no text could satisfy, or that another part makes impossible."""
    yield from _blanks(voice)
    banned = [folded(phrase) for phrase in voice.banned_phrases if phrase.strip()]
    for place, phrase in enumerate(voice.required_phrases):
        text = folded(phrase)
        if any(says(text, one) for one in banned):
            yield FieldError(f"required_phrases[{place}]", "holds a banned phrase")
    yield from _hashtag_contradictions(voice.hashtags)
    if not voice.emojis.allowed and voice.emojis.max:
        yield FieldError("emojis.max", "must be 0 or left out where emojis are not allowed")


def _blanks(voice: Voice) -> Iterator[FieldError]:
    phrases = {
        "banned_phrases[{}]": voice.banned_phrases,
        "required_phrases[{}]": voice.required_phrases,
        "claims[{}].phrase": [claim.phrase for claim in voice.claims],
    }
    for field, told in phrases.items():
        for place, phrase in enumerate(told):
            if not phrase.strip():
                yield FieldError(field.format(place), "holds nothing but spaces")


def _hashtag_contradictions(rule: HashtagRule) -> Iterator[FieldError]:
    if rule.min > rule.max:
        yield FieldError("hashtags.min", "is above hashtags.max")
    if len({folded(tag) for tag in rule.required}) > rule.max:
        yield FieldError("hashtags.required", "names more hashtags than hashtags.max allows")
    banned = {folded(tag) for tag in rule.banned}
    for place, tag in enumerate(rule.required):
        if folded(tag) in banned:
            yield FieldError(f"hashtags.required[{place}]", "is banned as well")
