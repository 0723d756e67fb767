"""Fake providers, and the house of models that knows them.

The servers and the connections to them are one for the run; what they were asked and told to do is
forgotten before each test.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import NamedTuple

import pytest

from engarde_daemon.adapters.http import Calls, Gate
from engarde_daemon.adapters.llm.house import HouseOfModels, ProviderSite
from engarde_daemon.testing.models import FakeAnthropic, FakeOpenAI, serving

TIMEOUT_S = 5.0


class Street(NamedTuple):
    """Every provider there is, where it listens, and how to get there."""

    openai: FakeOpenAI
    openai_url: str
    anthropic: FakeAnthropic
    anthropic_url: str
    own: Calls
    guarded: Calls


@pytest.fixture(scope="session")
async def street(anyio_backend: str) -> AsyncIterator[Street]:
    """The servers of the run."""
    openai, anthropic = FakeOpenAI(), FakeAnthropic()
    async with (
        serving(openai) as openai_url,
        serving(anthropic) as anthropic_url,
        aclosing(Calls(Gate(allow_private=True), connections=4)) as own,
        aclosing(Calls(Gate(), connections=4)) as guarded,
    ):
        yield Street(openai, f"{openai_url}/v1", anthropic, anthropic_url, own, guarded)


@pytest.fixture
async def openai(street: Street) -> FakeOpenAI:
    """A fake OpenAI."""
    street.openai.forget()
    street.openai.knows_schemas = True
    return street.openai


@pytest.fixture
async def anthropic(street: Street) -> FakeAnthropic:
    """A fake Anthropic."""
    street.anthropic.forget()
    street.anthropic.knows_schemas = True
    return street.anthropic


@pytest.fixture
async def openai_url(street: Street, openai: FakeOpenAI) -> str:
    """Where it listens."""
    return street.openai_url


@pytest.fixture
async def anthropic_url(street: Street, anthropic: FakeAnthropic) -> str:
    """Where it listens."""
    return street.anthropic_url


@pytest.fixture
async def house(street: Street, openai_url: str, anthropic_url: str) -> HouseOfModels:
    """All models there are, of which nothing was found out yet."""
    sites = {
        "openai": ProviderSite(kind="openai", base_url=openai_url, dialect="chat"),
        "responses": ProviderSite(kind="openai", base_url=openai_url, dialect="responses"),
        "anthropic": ProviderSite(kind="anthropic", base_url=anthropic_url, dialect="chat"),
        "local": ProviderSite(kind="compatible", base_url=openai_url, dialect="chat"),
        "template": ProviderSite(kind="template", base_url="", dialect="chat"),
    }
    return HouseOfModels(sites, own=street.own, guarded=street.guarded, timeout_s=TIMEOUT_S)
