"""Each rule of a brand, kept and broken, and what follows from breaking it."""

import pytest

from engarde_daemon.domain.adherence import (
    Verdict,
    count_emojis,
    findings_of,
    reading_grade,
    verdict_on,
)
from engarde_daemon.domain.content import ContentType
from engarde_daemon.domain.generation import Adherence, Finding, JobSpec, Piece, Strictness
from engarde_daemon.domain.voice import Claim, EmojiRule, HashtagRule, Voice
from tests.support.jobs import params, piece, spec

HARD = (
    "Notwithstanding organisational considerations, institutional stakeholders collaboratively "
    "operationalise interdepartmental communication methodologies, facilitating comprehensive "
    "transformational opportunities throughout multidisciplinary environments everywhere, continually reinvigorating accountability."
)
EMOJI = "\N{SPARKLES}"


def rules(found: Piece, job: JobSpec) -> list[str]:
    """The names of the rules a piece breaks."""
    return [finding.rule for finding in findings_of(found, job)]


@pytest.mark.parametrize(
    ("voice", "found", "rule"),
    [
        (Voice(banned_phrases=["Cheap Tea"]), piece("Our cheap\n tea!"), "banned_phrase"),
        (Voice(banned_phrases=["最好"]), piece("这是最好的茶"), "banned_phrase"),
        (Voice(banned_phrases=["café"]), piece("A cafe\u0301."), "banned_phrase"),
        (Voice(required_phrases=["En Garde"]), piece("En  gardens."), "required_phrase"),
        (Voice(hashtags=HashtagRule(min=1)), piece(), "hashtags"),
        (Voice(hashtags=HashtagRule(max=1)), piece(hashtags=["a", "b"]), "hashtags"),
        (Voice(hashtags=HashtagRule(required=["Tea"])), piece(hashtags=["x"]), "hashtags"),
        (Voice(hashtags=HashtagRule(banned=["x"])), piece(hashtags=["X"]), "hashtags"),
        (Voice(reading_level=8), piece(HARD), "reading_level"),
        (Voice(claims=[Claim(phrase="heals")]), piece("It heals."), "claim"),
    ],
)
def test_a_rule_of_the_voice_is_found_broken(voice: Voice, found: Piece, rule: str):
    """One rule, one finding."""
    assert rules(found, spec(voice=voice)) == [rule]


@pytest.mark.parametrize(
    ("voice", "found"),
    [
        (Voice(banned_phrases=["tea"]), piece("A team.", hashtags=[])),
        (Voice(required_phrases=["en garde"]), piece("EN\nGARDE!")),
        (Voice(required_phrases=["최고"]), piece("우리는 최고입니다")),
        (Voice(reading_level=8), piece("We like tea. " * 10)),
        (Voice(reading_level=1, language="de"), piece(HARD)),
        (Voice(claims=[Claim(phrase="heals", proof="a study")]), piece("It heals.")),
    ],
)
def test_a_rule_that_is_kept_is_not_found(voice: Voice, found: Piece):
    """Parts of words, capitals, line ends, proofs and other languages."""
    found = Piece(title="Untitled", body=found.body)

    assert rules(found, spec(voice=voice)) == []


@pytest.mark.parametrize("rule", [EmojiRule(allowed=False), EmojiRule(max=1)])
def test_emojis_follow_the_voice(rule: EmojiRule):
    """Where the job allows them at all."""
    job = spec(voice=Voice(emojis=rule), params=params(include_emojis=True))

    assert rules(piece(EMOJI * 2), job) == ["emojis"]


def test_switches_of_the_job_are_rules_too():
    """Hashtags that are wanted, and emojis that are not."""
    assert rules(piece(EMOJI), spec(params=params(include_hashtags=True))) == [
        "emojis",
        "hashtags",
    ]


def test_a_voice_without_hashtags_has_the_last_word():
    """A job that wants some could never have a piece of it."""
    given = params(include_hashtags=True)
    job = spec(voice=Voice(hashtags=HashtagRule(max=0)), params=given)
    free = spec(
        voice=Voice(hashtags=HashtagRule(max=0)),
        params=given,
        adherence=Adherence(enforce_brand_voice=False),
    )

    assert rules(piece(), job) == []
    assert rules(piece(), free) == ["hashtags"]


@pytest.mark.parametrize(
    ("content_type", "platforms", "length", "broken"),
    [
        (ContentType.TWEET, [], 280, []),
        (ContentType.TWEET, [], 281, ["length"]),
        (ContentType.POST, ["X", "instagram"], 281, ["length"]),
        (ContentType.POST, ["linkedin"], 3001, ["length"]),
        (ContentType.POST, ["my own site"], 99_999, []),
        (ContentType.ARTICLE, ["x"], 9999, []),
    ],
)
def test_length_follows_the_strictest_platform(
    content_type: ContentType, platforms: list[str], length: int, broken: list[str]
):
    """Articles are linked to, not posted."""
    job = spec(content_type=content_type, platforms=platforms)

    assert rules(piece("x" * length), job) == broken


def test_hashtags_count_towards_the_length():
    """With their sign and a space each."""
    found = piece("x" * 277, hashtags=["a"])

    assert rules(found, spec(content_type=ContentType.TWEET)) == []
    assert rules(piece("x" * 278, hashtags=["a"]), spec(content_type=ContentType.TWEET))


def test_a_piece_that_keeps_every_rule_breaks_none():
    """Hashtags that are required stand there, and those that are banned do not."""
    voice = Voice(
        banned_phrases=["cheap"],
        required_phrases=["tea"],
        hashtags=HashtagRule(required=["Tea"], banned=["coffee"]),
    )

    assert rules(piece("A cup of tea.", hashtags=["tea"]), spec(voice=voice)) == []


def test_rules_that_are_switched_off_are_not_checked():
    """Voice and compliance, each for itself."""
    voice = Voice(banned_phrases=["tea"], claims=[Claim(phrase="heals")])
    free = Adherence(enforce_brand_voice=False, check_compliance=False)

    assert rules(piece("tea heals"), spec(voice=voice, adherence=free)) == []


@pytest.mark.parametrize(
    ("level", "rewrites", "verdict"),
    [
        (Strictness.RELAXED, 0, Verdict.FLAGGED),
        (Strictness.MODERATE, 0, Verdict.REWRITE),
        (Strictness.MODERATE, 1, Verdict.FLAGGED),
        (Strictness.STRICT, 1, Verdict.REWRITE),
        (Strictness.STRICT, 2, Verdict.FAILED),
    ],
)
def test_the_level_decides_what_follows(level: Strictness, rewrites: int, verdict: Verdict):
    """RELAXED flags, MODERATE rewrites once, STRICT twice and then fails."""
    assert verdict_on([Finding(rule="r", message="m")], level, rewrites) is verdict
    assert verdict_on([], level, rewrites) is Verdict.ACCEPTED


def test_a_few_words_have_no_grade():
    """The formula says nothing about them."""
    assert reading_grade("Extraordinarily unintelligible.") is None


def test_grades_rise_with_sentences_and_words():
    """Simple text is below the third grade, the other beyond school."""
    simple = reading_grade("The cat sat on the mat. " * 5)
    hard = reading_grade(HARD)

    assert simple is not None
    assert hard is not None
    assert simple < 3
    assert hard > 18


def test_emojis_are_counted_without_their_modifiers():
    """A skin tone or a variation selector is no emoji of its own."""
    assert count_emojis("\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}") == 1
    assert count_emojis("\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16} 5 © ok") == 1
