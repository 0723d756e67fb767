"""Keys that are tried as they are saved: what a provider says of one, in plain words."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.models import FakeAnthropic, FakeOpenAI, FakeProvider, Reaction, serving
from tests.support.models import settings
from tests.support.postgres import enterable_directory, fresh_database, postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["postgres_server"]

NAMES = {"openai": "OpenAI", "anthropic": "Anthropic"}
SPOKEN = tuple(NAMES)
FAKES: dict[str, FakeProvider] = {"openai": FakeOpenAI(), "anthropic": FakeAnthropic()}


@pytest.fixture(scope="module")
async def daemon(postgres_server: EmbeddedPostgres) -> AsyncIterator[Daemon]:
    """One for all tests of this module."""
    with enterable_directory(in_memory=True) as directory:
        async with (
            serving(FAKES["openai"]) as url,
            serving(FAKES["anthropic"]) as other_url,
            fresh_database(postgres_server) as name,
        ):
            extra = {
                "ENGARDE_POSTGRES__DSN": postgres_server.dsn(database=name),
                "ENGARDE_GENERATION__PROVIDERS__ANTHROPIC__BASE_URL": other_url,
            }
            environ = settings(url, extra)
            async with cleared_away_after(Daemon(directory / "data", environ=environ)) as daemon:
                await daemon.start()
                yield daemon


@pytest.fixture
async def http(daemon: Daemon) -> AsyncIterator[httpx.AsyncClient]:
    """The first tenant's administrator, who has no key yet."""
    for fake in FAKES.values():
        fake.forget()
    async with daemon.client() as http:
        for provider in SPOKEN:
            await http.delete(f"/api/credentials/{provider}")
        yield http


async def put(http: httpx.AsyncClient, provider: str, api_key: str) -> httpx.Response:
    """Save a key, and have it tried."""
    wish = {"api_key": api_key, "test": True}
    return await http.put(f"/api/credentials/{provider}", json=wish)


@pytest.mark.parametrize("provider", SPOKEN)
async def test_a_good_key_is_kept_and_said_to_be_good(http: httpx.AsyncClient, provider: str):
    """Nothing is generated for that."""
    answer = await put(http, provider, "sk-test")

    assert answer.status_code == 200
    assert answer.json()["test"] == {
        "passed": True,
        "message": f"{NAMES[provider]} accepts this key.",
    }
    assert FAKES[provider].calls == 0


@pytest.mark.parametrize("provider", SPOKEN)
async def test_a_key_that_is_refused_is_not_kept(http: httpx.AsyncClient, provider: str):
    """What was there before stays; the answer says what to do, and does not show the key."""
    answer = await put(http, provider, "sk-a-wrong-one")
    told = answer.json()["errors"][0]

    assert answer.status_code == 422
    assert told["field"] == "api_key"
    assert "does not let this key in" in told["message"]
    assert "sk-a-wrong-one" not in answer.text
    assert (await http.get("/api/credentials")).json()["data"] == []


@pytest.mark.parametrize("provider", SPOKEN)
async def test_a_provider_that_cannot_say_is_no_reason_to_lose_a_key(
    http: httpx.AsyncClient, provider: str
):
    """It is kept, and the answer says that nobody knows."""
    FAKES[provider].usual = Reaction(status=503)
    test = (await put(http, provider, "sk-test")).json()["test"]

    assert test["passed"] is False
    assert "could not try the key just now; it is kept" in test["message"]
    assert len((await http.get("/api/credentials")).json()["data"]) == 1


async def test_without_a_wish_for_it_nobody_is_asked(http: httpx.AsyncClient):
    """A key is saved as it always was."""
    answer = await http.put("/api/credentials/openai", json={"api_key": "sk-a-wrong-one"})

    assert answer.status_code == 200
    assert "test" not in answer.json()
