"""Providers of language models on this machine, strict about their wire formats.

They speak as OpenAI and Anthropic document it, refuse what those refuse, count every call and its
tokens, and fail on demand.
"""

from engarde_daemon.testing.models.anthropic import FakeAnthropic
from engarde_daemon.testing.models.openai import FakeOpenAI
from engarde_daemon.testing.models.provider import FakeProvider, Reaction
from engarde_daemon.testing.models.serving import serving

__all__ = ["FakeAnthropic", "FakeOpenAI", "FakeProvider", "Reaction", "serving"]
