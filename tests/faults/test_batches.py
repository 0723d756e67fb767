"""Items that go in bulk: whatever fails or dies, each is ordered once, and what is paid is kept."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.models import FakeAnthropic, FakeOpenAI, FakeProvider, Reaction, serving
from engarde_daemon.testing.models.provider import Asked
from tests.support.daemon import drift_in
from tests.support.models import (
    JOBS,
    ended,
    generating,
    give_key,
    items_of,
    job_of,
    settings,
    start,
)
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory, fresh_database, postgres_server
from tests.support.running import Daemon

__all__ = ["postgres_server"]

MODELS = {"openai": "gpt-5.4-mini", "anthropic": "claude-haiku-4-5"}
SPOKEN = tuple(MODELS)


@pytest.fixture(scope="module")
async def openai() -> FakeOpenAI:
    """A fake OpenAI."""
    return FakeOpenAI()


@pytest.fixture(scope="module")
async def anthropic() -> FakeAnthropic:
    """A fake Anthropic."""
    return FakeAnthropic()


@pytest.fixture(scope="module")
async def daemon(
    postgres_server: EmbeddedPostgres, openai: FakeOpenAI, anthropic: FakeAnthropic
) -> AsyncIterator[Daemon]:
    """One for all tests of this module; a test that kills it starts it again."""
    with enterable_directory(in_memory=True) as directory:
        async with (
            serving(openai) as url,
            serving(anthropic) as other_url,
            fresh_database(postgres_server) as name,
        ):
            dsn = postgres_server.dsn(database=name)
            extra = {
                "ENGARDE_POSTGRES__DSN": dsn,
                "ENGARDE_GENERATION__BATCH_POLL_S": "0.1",
                "ENGARDE_GENERATION__PROVIDERS__ANTHROPIC__BASE_URL": other_url,
            }
            async with generating(directory / "data", settings(url, extra)) as daemon:
                async with daemon.client() as http:
                    await give_key(http, provider="anthropic")
                yield daemon
                assert await drift_in(dsn) == []


@pytest.fixture
async def fakes(openai: FakeOpenAI, anthropic: FakeAnthropic) -> dict[str, FakeProvider]:
    """Both, having forgotten what they were asked and told."""
    openai.forget()
    anthropic.forget()
    return {"openai": openai, "anthropic": anthropic}


@pytest.fixture
async def http(daemon: Daemon, fakes: dict[str, FakeProvider]) -> AsyncIterator[httpx.AsyncClient]:
    """The first tenant's administrator."""
    async with daemon.client() as http:
        yield http


async def ordered(http: httpx.AsyncClient, provider: str, count: int, **other: Any) -> str:
    """The id of a job whose items go in bulk."""
    params = {"model": MODELS[provider], **other.pop("params", {})}
    return await start(http, count, mode="batch", params=params, **other)


async def told(fake: FakeProvider, orders: int) -> None:
    """Wait until the provider has so many orders."""
    with anyio.fail_after(PATIENCE_S):
        while len(fake.shop.orders) < orders:
            await anyio.sleep(0.02)


def said(asked: Asked) -> str:
    """A piece that tells which item it is."""
    prompt = json.dumps(asked.body["messages"], ensure_ascii=False)
    number = prompt.partition("⟦")[2].partition("⟧")[0]
    return json.dumps({"title": f"Item {number}", "body": f"Body of {number}.", "hashtags": []})


@pytest.mark.parametrize("provider", SPOKEN)
async def test_a_batch_brings_every_item_at_half_the_price(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider], provider: str
):
    """One order, each item asked for once, none by a call of its own."""
    fake = fakes[provider]
    fake.react = lambda asked: Reaction(text=said(asked))
    job = await ended(http, await ordered(http, provider, 5))
    direct = await ended(http, await start(http, 5, params={"model": MODELS[provider]}))
    items = await items_of(http, job["job_id"])

    assert (job["mode"], job["status"], job["progress"]) == ("batch", "completed", 5)
    assert (len(fake.shop.orders), fake.charged) == (1, 10)
    assert [item["calls"] for item in items] == [1] * 5
    assert job["total_cost_usd"] == pytest.approx(direct["total_cost_usd"] / 2, abs=2e-6)


@pytest.mark.parametrize("provider", SPOKEN)
async def test_an_order_that_nobody_heard_of_is_found_not_repeated(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider], daemon: Daemon, *, provider: str
):
    """The provider took it, and the daemon died before it knew: the next one looks first."""
    fake = fakes[provider]
    fake.shop.next_unheard.append(500)
    job_id = await ordered(http, provider, 3)
    await told(fake, 1)
    await daemon.kill()
    await daemon.start()
    async with daemon.client() as again:
        job = await ended(again, job_id)

    assert job["progress"] == 3
    assert (len(fake.shop.orders), fake.charged) == (1, 3)
    assert fake.shop.listed > 0


@pytest.mark.parametrize("provider", SPOKEN)
async def test_what_expired_is_ordered_again_and_nothing_else(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider], provider: str
):
    """Answers that came in time stay; errors are told apart item by item."""
    fake = fakes[provider]
    fake.shop.done_before_end = 3
    fake.next_reactions.append(Reaction(status=400))
    job_id = await ordered(http, provider, 5)
    await told(fake, 2)
    fake.shop.done_before_end = None
    job = await ended(http, job_id)
    failures = Counter(item["failure"] for item in await items_of(http, job_id))

    assert (job["status"], job["progress"]) == ("completed", 4)
    assert failures == {None: 4, "rejected": 1}
    assert [len(order.items) for order in fake.shop.orders.values()] == [5, 2]
    assert fake.charged == 4


@pytest.mark.parametrize("provider", SPOKEN)
async def test_a_cancel_reaches_the_provider_and_keeps_what_was_paid(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider], provider: str
):
    """What it had answered by then is content; the rest is not asked for any more."""
    fake = fakes[provider]
    fake.shop.looks_needed = 10**6
    fake.shop.done_before_end = 2
    job_id = await ordered(http, provider, 5)
    await told(fake, 1)
    cancelled = (await http.post(f"{JOBS}/{job_id}/cancel")).json()
    job = await ended(http, job_id)
    quota = (await http.get("/api/content/quota")).json()

    assert cancelled["status"] == "cancelled"
    assert job["items"] == {"stored": 2, "cancelled": 3}
    assert fake.charged == 2
    assert quota["usage"]["reserved_bytes"] == 0


@pytest.mark.parametrize("provider", SPOKEN)
async def test_an_order_that_is_refused_for_a_bad_account_waits_for_a_better_key(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider], provider: str
):
    """Nothing was ordered; then it is, once."""
    fake = fakes[provider]
    fake.shop.next_refused.append((402, "billing_error"))
    job_id = await ordered(http, provider, 2)
    with anyio.fail_after(PATIENCE_S):
        while (await job_of(http, job_id))["phase"] != "paused":
            await anyio.sleep(0.05)
    assert not fake.shop.orders
    await give_key(http, provider=provider)

    assert (await ended(http, job_id))["progress"] == 2
    assert (len(fake.shop.orders), fake.charged) == (1, 2)


async def test_a_batch_of_somebody_else_is_not_taken_for_ours(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider], daemon: Daemon
):
    """Anthropic's carry no name of ours: the first answer tells, and ours is looked for again."""
    fake = fakes["anthropic"]
    fake.shop.next_refused.append((500, ""))
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    job_id = await ordered(http, "anthropic", 1)
    with anyio.fail_after(PATIENCE_S):
        while fake.shop.next_refused:
            await anyio.sleep(0.02)
    fake.shop.add("msgbatch_", "/v1/messages", {"theirs": body})
    await daemon.kill()
    await daemon.start()
    async with daemon.client() as again:
        job = await ended(again, job_id)

    assert job["progress"] == 1
    assert [set(order.items) == {"theirs"} for order in fake.shop.orders.values()] == [True, False]


async def test_what_a_model_refuses_in_bulk_is_left_out_the_next_time(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider]
):
    """A temperature for GPT-5: refused, and not charged, once."""
    job = await ended(http, await ordered(http, "openai", 3, params={"temperature": 0.5}))
    fake = fakes["openai"]

    assert job["progress"] == 3
    assert (len(fake.shop.orders), fake.charged) == (2, 3)


async def test_a_piece_that_is_to_be_rewritten_goes_in_the_next_batch(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider]
):
    """Or, where they are judged apart, in the next ones."""
    fake = fakes["anthropic"]
    fake.react = lambda asked: Reaction(
        text=said(asked) if asked.number > 4 else said(asked).replace("Body", "\U0001f680 Body")
    )
    job = await ended(http, await ordered(http, "anthropic", 4, brand_adherence={}))

    assert job["progress"] == 4
    sizes = [len(order.items) for order in fake.shop.orders.values()]
    assert (sizes[0], sum(sizes)) == (4, 8)


async def test_a_cost_limit_bounds_what_is_ordered(
    http: httpx.AsyncClient, fakes: dict[str, FakeProvider]
):
    """Everything that is under way counts at its highest; what was cheaper leaves room for more."""
    wish: dict[str, Any] = {"max_cost_usd": 0.0048, "params": {"max_tokens": 1000}}
    job = await ended(http, await ordered(http, "openai", 3, **wish))

    assert job["total_cost_usd"] <= 0.0048
    assert [len(order.items) for order in fakes["openai"].shop.orders.values()] == [2, 1]


async def test_a_provider_without_batches_is_refused(http: httpx.AsyncClient):
    """Before a job exists."""
    answer = await http.post(
        "/api/content/generate-batch",
        json={
            "target_count": 1,
            "mode": "batch",
            "generation_params": {"model": "template", "prompt_template": "x"},
        },
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "mode"
