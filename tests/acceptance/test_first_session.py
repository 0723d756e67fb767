"""A newcomer's first session: a daemon on embedded stores, started with one command."""

import stat
from collections.abc import AsyncIterator

import anyio
import httpx
import msgspec
import pytest

from engarde_daemon.config import Server, Settings, Storage
from engarde_daemon.daemon.first_start import welcome
from tests.acceptance.content import created, listed, quota
from tests.support.postgres import enterable_directory
from tests.support.running import Daemon, cleared_away_after


@pytest.fixture(scope="module")
async def embedded(anyio_backend: str) -> AsyncIterator[Daemon]:
    """A daemon with its own PostgreSQL and ZeroDB, after its first start."""
    with enterable_directory() as directory:
        async with cleared_away_after(Daemon(directory / "data")) as daemon:
            await daemon.start()
            yield daemon


async def test_the_first_start_leaves_credentials(embedded: Daemon):
    """For their owner alone, and they work."""
    file = embedded.data_dir / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert embedded.credentials.base_url == embedded.base_url
    for key in (embedded.credentials.api_key, embedded.credentials.operator_key):
        async with embedded.client(key) as http:
            standing = await quota(http)

            assert standing["tenant_id"] == embedded.credentials.tenant_id


async def test_what_the_first_start_proposes_works(embedded: Daemon):
    """A newcomer copies it into a shell, makes an item, and sees it listed."""
    settings = Settings(
        server=Server(port=embedded.port), storage=Storage(data_dir=str(embedded.data_dir))
    )
    _, _, proposed = welcome(settings, first=True).partition("Try:\n")
    commands, _, _ = proposed.partition("Stop with")

    done = await anyio.run_process(["bash", "-ec", commands])

    made, listed_after = (msgspec.json.decode(answer) for answer in _answers(done.stdout))
    assert made["body"] == "My first content"
    assert made["id"] in {item["id"] for item in listed_after["data"]}


async def test_tenants_and_keys_are_made_while_it_runs(embedded: Daemon):
    """By commands in processes of their own, which name only the data directory."""
    tenant = await embedded.command("tenants", "create", "--name", "Acme", "--plan", "starter")
    key = await embedded.command(
        "keys", "create", "--tenant", tenant["tenant_id"], "--role", "editor"
    )

    assert tenant.keys() == {"tenant_id", "brand_id", "user_id"}
    assert key.keys() == {"key_id", "api_key"}
    async with embedded.client(key["api_key"]) as http:
        made = await created(http)
        assert made["brand_id"] == tenant["brand_id"]
        assert (await quota(http))["plan_tier"] == "starter"


async def test_what_was_acknowledged_survives_a_power_cut(embedded: Daemon):
    """`kill -9`, another start, and everything is as it was: content, quota, key and search."""
    async with embedded.client() as http:
        made = await created(http, title="Lasting", body="words that stay")
        before = (await listed(http))["pagination"]["total"], (await quota(http))["usage"]

    await embedded.kill()
    await embedded.start()
    async with embedded.client() as http:
        item = await http.get(f"/api/content/{made['id']}")
        after = (await listed(http))["pagination"]["total"], (await quota(http))["usage"]
        found = await listed(http, search="stay")

    assert item.json()["body"] == "words that stay"
    assert item.headers["x-served-from"] in {"staged", "zerodb"}
    assert after == before
    assert made["id"] in {hit["id"] for hit in found["data"]}


async def test_a_body_is_read_from_zerodb_after_a_restart(embedded: Daemon):
    """SIGTERM ends it in order with exit code 0, and nothing is remembered but what is stored."""
    async with embedded.client() as http:
        made = await created(http, body="from the store")
    assert await embedded.stop() == 0
    await embedded.start()

    async with embedded.client() as http:
        item: httpx.Response = await http.get(f"/api/content/{made['id']}")
    assert item.json()["body"] == "from the store"
    assert item.headers["x-served-from"] in {"zerodb", "staged"}


def _answers(printed: bytes) -> list[bytes]:
    """Two answers that curl printed without anything between them."""
    first, _, second = printed.partition(b'}{"data"')
    return [first + b"}", b'{"data"' + second]
