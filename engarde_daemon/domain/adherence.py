"""Whether a piece keeps to what its brand and its platforms ask for.

Owns the verdict: findings are told to whoever reads the piece, and depending on the level of the
job they have it written anew, flag it, or fail it.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from engarde_daemon.domain.generation import (
    REWRITES_MAX,
    Finding,
    JobSpec,
    Piece,
    Strictness,
)
from engarde_daemon.domain.lengths import length_limit
from engarde_daemon.domain.voice import HashtagRule, Voice
from engarde_daemon.domain.words import folded, says

_SENTENCES = re.compile(r"[.!?…]+(?:\s|$)|\n+")
_WORDS = re.compile(r"[A-Za-z']+")
_VOWELS = re.compile(r"[aeiouy]+")
# Emoji presentation by block (https://unicode.org/Public/emoji/latest/emoji-data.txt); variation
# selectors, joiners and skin tones belong to the emoji before them.
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff\U0001f300-\U0001f3fa\U0001f400-\U0001faff"
    "\u2600-\u27bf\u2b50\u2b55\u231a\u231b\u23e9-\u23f3]"
)
_WORDS_FOR_A_GRADE = 20


class Verdict(StrEnum):
    """What becomes of a piece."""

    ACCEPTED = "accepted"
    FLAGGED = "flagged"
    REWRITE = "rewrite"
    FAILED = "failed"


def findings_of(piece: Piece, spec: JobSpec) -> list[Finding]:
    """Every rule of a job that a piece breaks."""
    text = folded(f"{piece.title}\n{piece.body}")
    found = [*_length(piece, spec), *_switches(piece, spec)]
    if spec.adherence.enforce_brand_voice:
        found += [*_phrases(text, spec.voice), *_hashtags(piece, spec.voice.hashtags)]
        found += [*_emojis(piece, spec.voice), *_reading(piece, spec.voice)]
    if spec.adherence.check_compliance:
        found += _claims(text, spec.voice)
    return found


def verdict_on(findings: list[Finding], level: Strictness, rewrites: int) -> Verdict:
    """What becomes of a piece with these findings that was written anew so often already."""
    if not findings:
        return Verdict.ACCEPTED
    if rewrites < REWRITES_MAX[level]:
        return Verdict.REWRITE
    return Verdict.FAILED if level is Strictness.STRICT else Verdict.FLAGGED


def reading_grade(text: str) -> float | None:
    """The US school grade of an English text (Flesch-Kincaid), None where it is too short to say.

    https://apps.dtic.mil/sti/citations/ADA006655
    """
    words = _WORDS.findall(text)
    if len(words) < _WORDS_FOR_A_GRADE:
        return None
    sentences = max(1, sum(1 for part in _SENTENCES.split(text) if part.strip()))
    syllables = sum(_syllables(word.casefold()) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def count_emojis(text: str) -> int:
    """How many emojis a text shows; a flag is two letters and counts as two."""
    return len(_EMOJI.findall(text))


def _syllables(word: str) -> int:
    count = len(_VOWELS.findall(word))
    silent = word.endswith("e") and not word.endswith("le")
    return max(1, count - 1 if silent else count)


def _length(piece: Piece, spec: JobSpec) -> Iterator[Finding]:
    limit = length_limit(spec.content_type, spec.platforms)
    length = len(piece.body) + sum(len(tag) + 2 for tag in piece.hashtags)
    if limit is not None and length > limit:
        message = f"It has {length} characters with its hashtags; {limit} are allowed."
        yield Finding(rule="length", message=message)


def _switches(piece: Piece, spec: JobSpec) -> Iterator[Finding]:
    if not spec.params.include_emojis and count_emojis(piece.title + piece.body):
        yield Finding(rule="emojis", message="It holds emojis, which the job does not want.")
    if spec.wants_hashtags and not piece.hashtags:
        yield Finding(rule="hashtags", message="It has no hashtags, which the job wants.")


def _phrases(text: str, voice: Voice) -> Iterator[Finding]:
    for phrase in voice.banned_phrases:
        if says(text, folded(phrase)):
            yield Finding(rule="banned_phrase", message=f"It says “{phrase}”, which is banned.")
    for phrase in voice.required_phrases:
        if not says(text, folded(phrase)):
            yield Finding(rule="required_phrase", message=f"It does not say “{phrase}”.")


def _hashtags(piece: Piece, rule: HashtagRule) -> Iterator[Finding]:
    tags = {folded(tag) for tag in piece.hashtags}
    if not rule.min <= len(tags) <= rule.max:
        message = f"It has {len(tags)} hashtags; {rule.min} to {rule.max} are wanted."
        yield Finding(rule="hashtags", message=message)
    for tag in rule.required:
        if folded(tag) not in tags:
            yield Finding(rule="hashtags", message=f"The hashtag #{tag} is missing.")
    for tag in rule.banned:
        if folded(tag) in tags:
            yield Finding(rule="hashtags", message=f"The hashtag #{tag} is banned.")


def _emojis(piece: Piece, voice: Voice) -> Iterator[Finding]:
    count, rule = count_emojis(piece.title + piece.body), voice.emojis
    if count and not rule.allowed:
        yield Finding(rule="emojis", message="The brand uses no emojis.")
    elif rule.max is not None and count > rule.max:
        message = f"It has {count} emojis; {rule.max} are allowed."
        yield Finding(rule="emojis", message=message)


def _reading(piece: Piece, voice: Voice) -> Iterator[Finding]:
    # The formula was made for English; for other languages its figure means nothing.
    if voice.reading_level is None or not voice.language.casefold().startswith("en"):
        return
    grade = reading_grade(piece.body)
    if grade is not None and grade > voice.reading_level:
        message = f"It reads like US school grade {grade:.0f}; {voice.reading_level} is the most."
        yield Finding(rule="reading_level", message=message)


def _claims(text: str, voice: Voice) -> Iterator[Finding]:
    for claim in voice.claims:
        if not claim.proof and says(text, folded(claim.phrase)):
            yield Finding(rule="claim", message=f"It claims “{claim.phrase}” without a proof.")
