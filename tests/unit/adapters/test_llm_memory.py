"""What is remembered of servers and models whose names tenants choose: not for ever."""

import pytest

from engarde_daemon.adapters.llm import anthropic, chat, prices
from engarde_daemon.adapters.llm.anthropic import PlainModels
from engarde_daemon.adapters.llm.chat import Habits
from engarde_daemon.adapters.llm.prices import ListedPrices
from engarde_daemon.domain.prompts import Prompt
from engarde_daemon.ports.models import Ask


def ask(model: str) -> Ask:
    """A question to a model."""
    return Ask(model=model, prompt=Prompt(system="", user="", values={}), max_tokens=1)


def test_plain_models_are_forgotten_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch):
    """The newest stays: the call that found it out is about to be repeated."""
    monkeypatch.setattr(anthropic, "MODELS_MAX", 3)
    plain = PlainModels()
    names = [f"m{number}" for number in range(10)]
    for name in names:
        plain.add(name)

    assert names[-1] in plain
    assert sum(name in plain for name in names) <= 3


def test_habits_are_forgotten_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch):
    """The newest stays here, too."""
    monkeypatch.setattr(chat, "MODELS_MAX", 3)
    habits = Habits(token_field="max_tokens")
    names = [f"m{number}" for number in range(10)]
    for name in names:
        assert habits.learn(name, "response_format")
    known = [name for name in names if "response_format" not in habits.body(ask(name))]

    assert known[-1] == names[-1]
    assert len(known) <= 3


async def test_prices_of_invented_models_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch):
    """Each dry run may name another one."""
    monkeypatch.setattr(prices, "MODELS_MAX", 3)
    listed = ListedPrices()
    for number in range(10):
        assert await listed.price("openai", f"invented-{number}") is None

    assert len(listed._known) <= 3
