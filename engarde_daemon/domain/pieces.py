"""From what a model answered to a title, a body and hashtags.

A model that knows structured output answers with JSON. One that does not often wraps it in prose
or a code fence, or forgets it altogether: then the text itself is the body, because a paid answer
is worth more than its form.
"""

import re
from itertools import islice
from typing import Any

import msgspec

from engarde_daemon.domain.generation import Piece
from engarde_daemon.domain.words import words_of

TITLE_CHARACTERS = 255
BODY_CHARACTERS = 200_000

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "body": {"type": "string"},
        "hashtags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["title", "body", "hashtags"],
    "additionalProperties": False,
}
"""What providers with structured output are told to answer with."""

_FIELD = re.compile(r'"(?P<name>title|body)"\s*:\s*(?P<text>"(?:[^"\\]|\\.)*")')
_HASHTAG = re.compile(r"(?<![\w&])#([^\s#]{1,100})")
HASHTAGS_MAX = 100
HASHTAG_CHARACTERS = 100


class _Loose(msgspec.Struct):
    title: str = ""
    body: str = ""
    hashtags: list[str] | str = []


def piece_of(text: str, *, fallback_title: str) -> Piece | None:
    """The piece in an answer, or None where there is nothing that could be published."""
    plain = text.replace("\x00", "").strip()
    found = _structured(plain)
    if found is None and not plain.removeprefix("```json").lstrip("` \n").startswith("{"):
        found = Piece(title="", body=plain, hashtags=_hashtags_in(plain))
    body = found.body.strip()[:BODY_CHARACTERS] if found else ""
    if found is None or not body:
        return None
    title = " ".join(found.title.split()) or fallback_title
    return Piece(title=title[:TITLE_CHARACTERS], body=body, hashtags=found.hashtags)


def _structured(text: str) -> Piece | None:
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        return None
    try:
        found = msgspec.json.decode(text[start : end + 1].encode(), type=_Loose)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return _salvaged(text)
    if found == _Loose():  # braces in prose, such as those of an article about templates
        return None
    tags = found.hashtags.split() if isinstance(found.hashtags, str) else found.hashtags
    named = [word[:HASHTAG_CHARACTERS] for tag in tags for word in words_of(tag)]
    return Piece(title=_clean(found.title), body=_clean(found.body), hashtags=named[:HASHTAGS_MAX])


def _hashtags_in(prose: str) -> list[str]:
    """The words that stand behind a sign."""
    told = (match[1] for match in islice(_HASHTAG.finditer(prose), HASHTAGS_MAX))
    first = ((text, next(iter(words_of(text)), "")) for text in told)
    return [word for text, word in first if word and text.startswith(word)]


def _salvaged(text: str) -> Piece | None:
    """The whole fields of an object that is broken further on."""
    whole = {match["name"]: match["text"] for match in _FIELD.finditer(text)}
    if "body" not in whole:
        return None
    try:
        kept = {name: msgspec.json.decode(quoted, type=str) for name, quoted in whole.items()}
    except msgspec.DecodeError:
        return None
    return Piece(title=_clean(kept.get("title", "")), body=_clean(kept["body"]))


def _clean(text: str) -> str:
    """Without what PostgreSQL cannot hold."""
    return text.replace("\x00", "")
