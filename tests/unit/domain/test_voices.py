"""A voice does not contradict itself."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.voice import Claim, EmojiRule, HashtagRule, Voice, contradictions

tags = st.lists(st.sampled_from(["a", "A", "b", "c"]), max_size=4)


def faults_of(voice: Voice) -> list[str]:
    """The fields that contradict others."""
    return [fault.field for fault in contradictions(voice)]


@given(
    st.builds(HashtagRule, min=st.integers(0, 5), max=st.integers(0, 5), required=tags, banned=tags)
)
def test_a_rule_without_contradiction_can_be_kept(rule: HashtagRule):
    """Its required hashtags, made up to the least number, break none of its parts."""
    if faults_of(Voice(hashtags=rule)):
        return
    used = list(dict.fromkeys(tag.casefold() for tag in rule.required))
    used += [f"other{n}" for n in range(rule.min - len(used))]

    assert rule.min <= len(used) <= rule.max
    assert not {tag.casefold() for tag in rule.banned} & set(used)


@pytest.mark.parametrize(
    ("voice", "fields"),
    [
        (Voice(), []),
        (Voice(required_phrases=["Not Cheap"], banned_phrases=["cheap"]), ["required_phrases[0]"]),
        (
            Voice(required_phrases=["a", "straße"], banned_phrases=["STRASSE"]),
            ["required_phrases[1]"],
        ),
        (Voice(required_phrases=["Scatter cushions"], banned_phrases=["cat"]), []),
        (Voice(required_phrases=["cafe\u0301"], banned_phrases=["café"]), ["required_phrases[0]"]),
        (
            Voice(banned_phrases=["a", " "], required_phrases=["\n"], claims=[Claim(phrase=" ")]),
            ["banned_phrases[1]", "required_phrases[0]", "claims[0].phrase"],
        ),
        (Voice(hashtags=HashtagRule(min=3, max=2)), ["hashtags.min"]),
        (Voice(hashtags=HashtagRule(max=1, required=["a", "b"])), ["hashtags.required"]),
        (Voice(hashtags=HashtagRule(max=1, required=["a", "A"])), []),
        (Voice(hashtags=HashtagRule(required=["x", "B"], banned=["b"])), ["hashtags.required[1]"]),
        (Voice(emojis=EmojiRule(allowed=False, max=1)), ["emojis.max"]),
        (Voice(emojis=EmojiRule(allowed=False, max=0)), []),
        (Voice(emojis=EmojiRule(allowed=False)), []),
        (Voice(claims=[Claim(phrase="best")]), []),
    ],
)
def test_each_contradiction_is_named_by_its_field(voice: Voice, fields: list[str]):
    """Whatever the case of its letters is."""
    assert faults_of(voice) == fields


def test_a_voice_is_kept_as_it_was_written():
    """The stored form reads back as the same voice."""
    voice = Voice(tone="dry", claims=[Claim(phrase="a", proof="b")], emojis=EmojiRule(max=2))

    assert msgspec.json.decode(msgspec.json.encode(voice), type=Voice) == voice


@pytest.mark.parametrize("tag", ["tea", "हिन्दी", "ชานี้", "cafe\u0301", "می\u200cخواهم", "a" * 100])
def test_a_hashtag_is_a_word_of_any_script(tag: str):
    """Vowel signs and accents included."""
    assert msgspec.convert({"required": [tag]}, HashtagRule).required == [tag]


@pytest.mark.parametrize("tag", ["", "#tea", "hot tea", "tea\n", "a-b", "a" * 101])
def test_what_is_no_word_is_no_hashtag(tag: str):
    """A space or a sign would end it."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"required": [tag]}, HashtagRule)
