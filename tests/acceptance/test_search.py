"""`search`: full text over title, tags and body, right after the write and ever after."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.acceptance.content import created, listed, titles
from tests.support.daemon import SharedDaemon, Tenant

LIBRARY: dict[str, dict[str, Any]] = {
    "running": {"body": "Running shoes for every runner's summer"},
    "sale": {"body": "The big summer sale begins on Monday"},
    "cooking": {"body": "A sale of cooking pots, and no season at all"},
    "winter": {"body": "Boots for the snow", "tags": ["cold season"]},
    "Überraschung": {"body": "Grüße aus Köln"},
}


SEARCHES = [
    ("monday", ["sale"]),
    ("SUMMER", ["running", "sale"]),
    ("winter", ["winter"]),
    ("season", ["cooking", "winter"]),
    ("summer sale", ["sale"]),
    ("run", ["running"]),
    ("shoe", ["running"]),
    ("begins cooked", []),
    ("cooked", ["cooking"]),
    ('"summer sale"', ["sale"]),
    ('"sale summer"', []),
    ("sale -summer", ["cooking"]),
    ("sale -summer -pots", []),
    ("monday or snow", ["sale", "winter"]),
    ("grüße", ["Überraschung"]),
    ("überraschung", ["Überraschung"]),
    ("köln", ["Überraschung"]),
    ("nowhere", []),
    ("the", []),
    ("summ", []),
]


async def fill(http: httpx.AsyncClient) -> None:
    """Make the items of the library."""
    for title, fields in LIBRARY.items():
        await created(http, title=title, **fields)


@pytest.fixture(scope="module")
async def library(shared_daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An editor whose tenant holds the library, all of it in the index."""
    tenant = shared_daemon.new_tenant()
    async with shared_daemon.caller(shared_daemon.new_key(tenant).api_key) as http:
        await fill(http)
        await shared_daemon.until_carried(tenant)
        yield http


@pytest.mark.parametrize(("words", "wanted"), SEARCHES)
async def test_words_find_what_holds_them(
    library: httpx.AsyncClient, words: str, wanted: list[str]
):
    """By stem, by phrase in quotes, without what follows a minus; all words must be there."""
    assert sorted(await titles(library, search=words)) == wanted


async def test_what_was_written_a_moment_ago_is_found_alike(http: httpx.AsyncClient):
    """Whether or not the index has caught up."""
    await fill(http)

    found = [(words, sorted(await titles(http, search=words))) for words, _ in SEARCHES]
    assert found == SEARCHES


@pytest.mark.parametrize(
    "words",
    [
        "'",
        '"',
        "\\",
        "a & b | !c",
        "(((",
        "a:*",
        "-",
        "%",
        "' or 1=1 --",
        "<->",
        "🎈",
        "@b:x",
        "\n",
    ],
)
async def test_no_words_break_a_search(library: httpx.AsyncClient, words: str):
    """What people type is never a syntax of ours."""
    assert await titles(library, search=words) == []


async def test_a_search_goes_with_tags(library: httpx.AsyncClient):
    """Both must hold."""
    assert await titles(library, search="boots", tags="cold season") == ["winter"]
    assert await titles(library, search="summer", tags="cold season") == []


async def test_a_hit_deep_in_a_body_counts(http: httpx.AsyncClient):
    """Not only the 200 characters that a list shows."""
    await created(http, body="filler " * 10_000 + "needle")

    assert (await listed(http, search="needle"))["pagination"]["total"] == 1


async def test_a_change_is_found_by_its_new_words(http: httpx.AsyncClient):
    """And no longer by the old ones, right after the answer."""
    made = await created(http, title="wooden", body="ancient")
    await http.patch(f"/api/content/{made['id']}", json={"title": "golden", "body": "modern"})

    found = [await titles(http, search=w) for w in ("ancient", "wooden", "modern", "golden")]
    assert found == [[], [], ["golden"], ["golden"]]


async def test_a_new_title_does_not_hide_the_body(
    daemon: SharedDaemon, tenant: Tenant, http: httpx.AsyncClient
):
    """Even when the body left PostgreSQL long before the title changed."""
    made = await created(http, title="wooden", body="needle")
    await daemon.until_carried(tenant)
    await http.patch(f"/api/content/{made['id']}", json={"title": "golden", "tags": ["fresh"]})
    at_once = [await titles(http, search=words) for words in ("needle", "fresh needle", "wooden")]
    await daemon.until_carried(tenant)
    later = [await titles(http, search=words) for words in ("needle", "fresh needle", "wooden")]

    assert at_once == later == [["golden"], ["golden"], []]


async def test_a_search_sees_everything_written_at_once(http: httpx.AsyncClient):
    """More than one batch of the indexer."""
    for number in range(60):
        await created(http, title=f"needle {number}")

    assert (await listed(http, search="needle", pageSize=100))["pagination"]["total"] == 60
