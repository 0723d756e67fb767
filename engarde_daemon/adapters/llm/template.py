"""The model that is no model: it expands the prompt's values into plain marketing text.

It needs neither network nor key, so that everything around a model can be tried without one. It
says of every text that it comes from a template: nobody shall take it for a model's work.
"""

import re

import msgspec

from engarde_daemon.domain.estimates import tokens_of
from engarde_daemon.domain.generation import Usage
from engarde_daemon.domain.words import words_of
from engarde_daemon.ports.models import Ask, Hear, Reply

MODEL = "template"
LABEL = "[template]"

_OPENINGS = (
    "Let us talk about {topic}.",
    "Have you thought about {topic} lately?",
    "Today is a good day for {topic}.",
    "Here is what {topic} means to us.",
    "Three words: {topic}, simply done.",
    "Some people ask us about {topic}. Here is our answer.",
    "What would {topic} look like if it were easy?",
)
_MIDDLES = (
    "We took our time to get it right, so that you do not have to.",
    "It begins with a small step, and we take it together.",
    "You asked for it, and we listened.",
    "No big words, only what works.",
    "Our team has put its heart into it.",
)
_CLOSINGS = (
    "Tell us what you think.",
    "Find out more on our page.",
    "Save this for later.",
    "Which one is yours?",
    "See for yourself.",
    "Share it with somebody who should know.",
    "Come and have a look.",
    "Start today.",
)
_EMOJIS = ("✨", "🚀", "💡", "🌞", "🎉")


class TemplateModel:
    """The `LanguageModel` port without a model."""

    async def write(self, ask: Ask, hear: Hear | None = None) -> Reply:
        """See `LanguageModel.write`."""
        text = msgspec.json.encode(_answer(ask)).decode()
        if hear is not None:
            for part in re.findall(r"\S+\s*", text):
                hear(part)
        prompt = ask.prompt
        usage = Usage(
            input_tokens=tokens_of(prompt.system + prompt.user), output_tokens=tokens_of(text)
        )
        return Reply(text=text, usage=usage, model=MODEL)


def _answer(ask: Ask) -> dict[str, object]:
    values, number = ask.prompt.values, int(ask.prompt.values["number"]) - 1
    topic = values["topic"] or "our brand"
    sentences = [_turn(lines, number) for lines in (_OPENINGS, _MIDDLES, _CLOSINGS)]
    body = " ".join(sentences).format(topic=topic)
    if "Use a few emojis." in ask.prompt.system:
        body = f"{body} {_turn(_EMOJIS, number)}"
    wants_tags = "Choose fitting hashtags." in ask.prompt.system
    return {
        "title": f"{topic[:1].upper()}{topic[1:]}, no. {values['number']}",
        "body": f"{LABEL} {body}",
        "hashtags": [_hashtag(topic)] if wants_tags else [],
    }


def _turn(choices: tuple[str, ...], number: int) -> str:
    return choices[number % len(choices)]


def _hashtag(topic: str) -> str:
    return "".join(word.capitalize() for word in words_of(topic))[:100] or "News"
