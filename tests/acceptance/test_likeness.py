"""`search_mode=semantic` finds content by its meaning, where its operator switched it on."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import running
from tests.acceptance.content import created, listed, problem_of, titles
from tests.support.daemon import SharedDaemon, Tenant

TEXTS = {
    "Footwear": "Discount sandals and sneakers for the warm season, all pairs half price.",
    "Physics": "An essay on quantum mechanics, particles and the theory of relativity.",
    "Kitchen": "A recipe for tomato soup with fresh basil and a slice of bread.",
}


@pytest.fixture(scope="module")
async def knowing(postgres_server: EmbeddedPostgres) -> AsyncIterator[SharedDaemon]:
    """A daemon that searches by meaning."""
    async with running(postgres_server, ENGARDE_SEARCH__SEMANTIC="true") as daemon:
        yield daemon


@pytest.fixture
async def knowing_tenant(knowing: SharedDaemon) -> Tenant:
    """A tenant of that daemon."""
    return await knowing.quick_tenant()


@pytest.fixture
async def author(knowing: SharedDaemon, knowing_tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """An editor of that tenant."""
    async with knowing.caller((await knowing.quick_key(knowing_tenant)).api_key) as http:
        yield http


async def fill(http: httpx.AsyncClient, daemon: SharedDaemon, tenant: Tenant) -> dict[str, str]:
    """Write the texts, wait until they are in ZeroDB, and give their ids."""
    made = {title: await created(http, title=title, body=body) for title, body in TEXTS.items()}
    await daemon.until_carried(tenant)
    return {title: item["id"] for title, item in made.items()}


async def test_without_the_setting_the_mode_is_refused_by_name(http: httpx.AsyncClient):
    """Nothing else of a search changes."""
    answer = await http.get("/api/content", params={"search": "shoes", "search_mode": "semantic"})

    (fault,) = problem_of(answer, 422)["errors"]
    assert fault["field"] == "search_mode"
    assert "[search] semantic" in fault["message"]


@pytest.mark.parametrize(
    "params", [{}, {"search": "a", "sort": "title"}, {"search": "a", "trashed": "true"}]
)
async def test_it_goes_with_nothing_but_a_search(author: httpx.AsyncClient, params: dict[str, str]):
    """Without words, in another order or in the trash it has no sense."""
    answer = await author.get("/api/content", params={"search_mode": "semantic", **params})

    assert [e["field"] for e in problem_of(answer, 422)["errors"]] == ["search_mode"]


async def test_the_likest_comes_first_though_no_word_is_the_same(
    author: httpx.AsyncClient, knowing: SharedDaemon, knowing_tenant: Tenant
):
    """By words alone nothing would be found."""
    await fill(author, knowing, knowing_tenant)

    assert await titles(author, search="cheap summer shoes") == []
    found = await titles(author, search="cheap summer shoes", search_mode="semantic")
    assert (found[0], len(found)) == ("Footwear", 3)


async def test_filters_and_pages_hold(
    author: httpx.AsyncClient, knowing: SharedDaemon, knowing_tenant: Tenant
):
    """Each hit stands on one page, and what does not pass a filter on none."""
    await fill(author, knowing, knowing_tenant)
    await created(author, title="Ad", body="Cheap summer shoes!", type="ad", tags=["sale"])
    await knowing.until_carried(knowing_tenant)
    wanted = {"search": "cheap summer shoes", "search_mode": "semantic"}

    assert await titles(author, **wanted, content_type="ad") == ["Ad"]
    assert await titles(author, **wanted, tags="sale") == ["Ad"]
    first = await listed(author, **wanted, pageSize=3)
    cursor = first["pagination"]["nextCursor"]
    rest = await titles(author, **wanted, pageSize=3, cursor=cursor)
    assert {item["title"] for item in first["data"]} | set(rest) == {*TEXTS, "Ad"}
    assert len(rest) == 1


async def test_a_change_is_found_by_what_it_says_now(
    author: httpx.AsyncClient, knowing: SharedDaemon, knowing_tenant: Tenant
):
    """And what was deleted not at all."""
    ids = await fill(author, knowing, knowing_tenant)
    change = {"body": "How rockets reach the orbit of the moon."}
    assert (await author.patch(f"/api/content/{ids['Kitchen']}", json=change)).is_success
    assert (await author.delete(f"/api/content/{ids['Physics']}")).is_success
    await knowing.until_carried(knowing_tenant)

    found = await titles(author, search="spaceflight and astronauts", search_mode="semantic")
    assert found == ["Kitchen", "Footwear"]


async def test_another_tenants_content_is_no_hit(
    author: httpx.AsyncClient, knowing: SharedDaemon, knowing_tenant: Tenant
):
    """However alike it is."""
    await fill(author, knowing, knowing_tenant)
    key = await knowing.quick_key(await knowing.quick_tenant())

    async with knowing.caller(key.api_key) as stranger:
        assert await titles(stranger, search="cheap shoes", search_mode="semantic") == []
