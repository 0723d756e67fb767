"""Providers and daemons that fail: every item ends stored once, or failed with a reason."""

import json
import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.models import FakeOpenAI, Reaction, serving
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
from tests.support.oracle import listed
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory, fresh_database, postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["postgres_server"]

LONG = "ENGARDE_FAULTS_LONG" in os.environ
ITEMS = 1000 if LONG else 60
KILL_EVERY_S = 3.0
IN_FLIGHT = 20


class Home(NamedTuple):
    """A fake OpenAI, where it listens, and a daemon that generates with it."""

    model: FakeOpenAI
    url: str
    daemon: Daemon


@pytest.fixture(scope="module")
async def home(postgres_server: EmbeddedPostgres) -> AsyncIterator[Home]:
    """One for all tests of this module; a test that kills the daemon starts it again."""
    model = FakeOpenAI()
    with enterable_directory(in_memory=True) as directory:
        async with serving(model) as url, fresh_database(postgres_server) as name:
            dsn = postgres_server.dsn(database=name)
            environ = settings(url, {"ENGARDE_POSTGRES__DSN": dsn})
            async with generating(directory / "data", environ) as daemon:
                yield Home(model, url, daemon)
                assert await drift_in(dsn) == []


@pytest.fixture
async def model(home: Home) -> FakeOpenAI:
    """The fake, which forgot what it was asked and told."""
    home.model.forget()
    return home.model


@pytest.fixture
async def http(home: Home, model: FakeOpenAI) -> AsyncIterator[httpx.AsyncClient]:
    """The first tenant's administrator."""
    async with home.daemon.client() as http:
        yield http


def said(number: int) -> str:
    """A piece that tells which item it is."""
    return json.dumps({"title": f"Item {number}", "body": f"Body of {number}.", "hashtags": []})


TOPICS = ("", "sleep", "tea", "the sea", "a garden", "snow")


def about(topic: str) -> str:
    """A piece that shares hardly three words in a row with one about another topic."""
    body = " ".join(f"{topic} {n} {topic}" for n in range(12))
    return json.dumps({"title": "Of it", "body": body, "hashtags": []})


def number_of(asked: Asked) -> int:
    """The item that a call is for."""
    prompt: str = asked.body["messages"][1]["content"]
    return int(prompt.partition("⟦")[2].partition("⟧")[0])


async def test_killed_daemons_lose_nothing_and_pay_hardly_twice(
    place: Path, postgres_server: EmbeddedPostgres, home: Home, model: FakeOpenAI
):
    """One of two daemons dies again and again; each item is content once, and the books are right."""
    model.react = lambda asked: Reaction(text=said(number_of(asked)), delay_s=0.5)
    extra = {"ENGARDE_GENERATION__CONCURRENCY": str(IN_FLIGHT)}
    async with fresh_database(postgres_server) as name:
        dsn = postgres_server.dsn(database=name)
        environ = settings(home.url, {**extra, "ENGARDE_POSTGRES__DSN": dsn})
        async with (
            generating(place / "data", environ) as survivor,
            cleared_away_after(Daemon(place / "data", environ=environ, log="2.log")) as victim,
            survivor.client() as http,
        ):
            await victim.start()
            job_id, crashes = await start(http, ITEMS), 0
            await model.called(IN_FLIGHT)
            while not (await job_of(http, job_id))["completed_at"]:
                await victim.kill()
                crashes += 1
                await victim.start()
                with anyio.move_on_after(KILL_EVERY_S):
                    await ended(http, job_id)
            job = await ended(http, job_id)
            items = await items_of(http, job_id)
            titles = Counter((await listed(http)).values())

        assert (job["status"], job["progress"]) == ("completed", ITEMS)
        assert titles == {f"Item {number}": 1 for number in range(1, ITEMS + 1)}
        assert [item["calls"] for item in items] == [1] * ITEMS
        assert crashes > 0
        assert model.calls <= ITEMS + crashes * IN_FLIGHT
        assert await drift_in(dsn) == []


async def test_a_daemon_that_is_killed_goes_on_where_it_was(
    home: Home, http: httpx.AsyncClient, model: FakeOpenAI
):
    """What was answered is not asked for again."""
    model.react = lambda asked: Reaction(
        text=said(number_of(asked)), delay_s=0.0 if number_of(asked) <= 5 else 60.0
    )
    job_id = await start(http, 8)
    with anyio.fail_after(PATIENCE_S):
        await model.called(8)
        while (await job_of(http, job_id))["progress"] < 5:
            await anyio.sleep(0.05)
    await home.daemon.kill()
    model.react = lambda asked: Reaction(text=said(number_of(asked)))
    await home.daemon.start()
    async with home.daemon.client() as again:
        job = await ended(again, job_id)
        items = await items_of(again, job_id)

    calls = Counter(number_of(asked) for asked in model.asked)
    assert job["progress"] == 8
    assert [calls[number] for number in range(1, 9)] == [1] * 5 + [2] * 3
    assert [item["suspected_duplicate_calls"] for item in items] == [0] * 5 + [1] * 3
    assert {item["calls"] for item in items} == {1}


async def test_pieces_alike_are_found_across_a_kill(
    home: Home, http: httpx.AsyncClient, model: FakeOpenAI
):
    """The daemon that wrote the first ones is dead; whoever goes on knows what they say."""
    model.react = lambda asked: Reaction(
        text=about(TOPICS[number_of(asked)]), delay_s=0.0 if number_of(asked) <= 3 else 60.0
    )
    job_id = await start(http, 5)
    with anyio.fail_after(PATIENCE_S):
        while (await job_of(http, job_id))["progress"] < 3:
            await anyio.sleep(0.05)
    await home.daemon.kill()
    model.react = lambda asked: Reaction(
        text=about("tea" if number_of(asked) == 5 else TOPICS[number_of(asked)])
    )
    await home.daemon.start()
    async with home.daemon.client() as again:
        await ended(again, job_id)
        items = await items_of(again, job_id)

    assert [item["findings"] for item in items[:4]] == [[]] * 4
    assert items[4]["findings"] == [
        {"rule": "duplicate", "message": "It says nearly the same as item 2."}
    ]


STORM: tuple[Reaction, ...] = (
    Reaction(status=429),
    Reaction(status=429, retry_after="1"),
    Reaction(status=503, code="server_is_overloaded"),
    Reaction(status=500),
    Reaction(raw=b'{"choices": [{"mess'),
    Reaction(raw=b""),
)


async def test_a_storm_passes_and_every_item_ends(http: httpx.AsyncClient, model: FakeOpenAI):
    """Haste, overload and answers that broke off are repeated; refusals and silence are told."""
    model.next_reactions.extend(STORM)
    model.next_reactions.append(Reaction(refusal="I will not write that."))
    model.next_reactions.append(Reaction(text=""))
    model.next_reactions.append(Reaction(text='{"title": "T", "bo', is_cut_off=True))
    job = await ended(http, await start(http, 9))
    failures = Counter(item["failure"] for item in await items_of(http, job["job_id"]))

    assert (job["status"], job["progress"]) == ("completed", 6)
    assert failures == {None: 6, "refused": 1, "empty": 1, "cut_off": 1}
    assert "3 of 9 items failed" in job["error_message"]
    assert job["total_cost_usd"] > 0


async def test_failed_items_are_tried_again_and_no_others(
    http: httpx.AsyncClient, model: FakeOpenAI
):
    """A retry calls once for each item that failed; a refusal was paid, too."""
    model.react = lambda asked: (
        Reaction(refusal="No.") if number_of(asked) % 2 else Reaction(text=said(number_of(asked)))
    )
    job_id = await start(http, 4)
    assert (await ended(http, job_id))["progress"] == 2
    assert [item["calls"] for item in await items_of(http, job_id)] == [1] * 4
    model.react = lambda asked: Reaction(text=said(number_of(asked)))
    retried = await http.post(f"{JOBS}/{job_id}/retry")
    assert retried.status_code == 202, retried.text

    assert (await ended(http, job_id))["progress"] == 4
    assert Counter(number_of(asked) for asked in model.asked) == {1: 2, 2: 1, 3: 2, 4: 1}
    assert (await http.post(f"{JOBS}/{job_id}/retry")).status_code == 409


async def test_an_empty_account_pauses_the_key_until_it_is_set_anew(
    http: httpx.AsyncClient, model: FakeOpenAI
):
    """No call is made that cannot succeed; then the job goes on by itself."""
    model.usual = Reaction(status=429, code="insufficient_quota")
    job_id = await start(http, 3)
    with anyio.fail_after(PATIENCE_S):
        # A refusal of the old key that came late would pause the new one.
        while (job := await job_of(http, job_id))["phase"] != "paused":
            await anyio.sleep(0.05)
    calls = model.calls
    assert job["paused_reason"] == "The provider says: Refused with 429."
    listed_keys = (await http.get("/api/credentials")).json()["data"]
    assert listed_keys[0]["paused_reason"] == job["paused_reason"]

    model.usual = Reaction()
    await give_key(http)
    assert (await ended(http, job_id))["progress"] == 3
    assert calls <= 3


async def test_a_cancel_keeps_answers_that_are_under_way(
    http: httpx.AsyncClient, model: FakeOpenAI
):
    """They are paid; what was not asked for yet is not asked any more."""
    is_cancelled = anyio.Event()
    model.react = lambda asked: Reaction(text=said(number_of(asked)), held_until=is_cancelled)
    job_id = await start(http, 200)
    await model.called(10)
    cancelled = (await http.post(f"{JOBS}/{job_id}/cancel")).json()
    is_cancelled.set()
    job = await ended(http, job_id)
    quota = (await http.get("/api/content/quota")).json()

    assert cancelled["status"] == "cancelled"
    assert job["progress"] == model.calls < 200
    assert job["items"] == {"stored": model.calls, "cancelled": 200 - model.calls}
    assert quota["usage"]["reserved_bytes"] == 0


async def test_the_words_of_a_single_item_are_heard_as_they_come(
    http: httpx.AsyncClient, model: FakeOpenAI
):
    """Token by token, then the item, then the end."""
    is_heard = anyio.Event()
    model.react = lambda _: Reaction(text=said(1), held_until=is_heard)
    model.next_reactions.append(Reaction(status=503))
    job_id = await start(http, 1)
    told = ""
    async with http.stream("GET", f"{JOBS}/{job_id}/events") as stream:
        async for text in stream.aiter_text():
            is_heard.set()
            told += text

    assert model.asked[-1].body["stream"] is True
    words = "".join(
        json.loads(line[6:])["text"]
        for line in told.splitlines()
        if line.startswith('data: {"text"')
    )
    assert json.loads(words)["body"] == "Body of 1."
    assert told.index("event: token") < told.index("event: item")


async def test_a_cost_limit_is_kept(http: httpx.AsyncClient, model: FakeOpenAI):
    """The job ends with what the money allowed, and says why."""
    wish: dict[str, Any] = {"max_cost_usd": 0.0048, "params": {"max_tokens": 1000}}
    job = await ended(http, await start(http, 50, **wish))

    assert job["total_cost_usd"] <= 0.0048
    assert 0 < job["progress"] < 50
    assert "max_cost_usd" in job["error_message"]


async def test_a_paid_draft_is_kept_where_there_is_no_money_for_a_better_one(
    http: httpx.AsyncClient, model: FakeOpenAI
):
    """It is stored with what is wrong about it; the limit is kept by its rewrite, too."""
    model.usual = Reaction(text=json.dumps({"title": "T", "body": "long " * 700, "hashtags": []}))
    wish: dict[str, Any] = {
        "content_type": "tweet",
        "brand_adherence": {"level": "MODERATE"},
        "max_cost_usd": 0.007,
        "params": {"max_tokens": 1000},
    }
    job = await ended(http, await start(http, 1, **wish))
    (item,) = await items_of(http, job["job_id"])

    assert model.calls == item["calls"] == 1
    assert job["progress"] == 1
    assert 0.003 < job["total_cost_usd"] <= 0.007
    assert [finding["rule"] for finding in item["findings"]] == ["length"]


async def test_the_end_of_a_job_is_an_event(http: httpx.AsyncClient):
    """Listeners and webhooks hear of it."""
    seen: list[str] = []

    async def listen(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        async with http.stream("GET", "/api/events?types=generation.*") as stream:
            task_status.started()
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    seen.append(line)
                    return

    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            await tasks.start(listen)
            job_id = await start(http, 1)

    document = json.loads(seen[0][6:])
    assert (document["type"], document["data"]["job_id"]) == ("generation.completed", job_id)
