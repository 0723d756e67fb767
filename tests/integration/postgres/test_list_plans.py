"""Lists in every order and exports reach what they need by an index of their own.

Asked as the daemon asks them, in a database with 50,000 items of which one brand has 30,000; see
`test_query_plans`.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.adapters.postgres.shelves import PostgresShelves
from engarde_daemon.ports.content import Filters, Listed
from engarde_daemon.ports.lists import Sort, SortedPlace
from tests.integration.postgres.test_query_plans import (
    BRAND,
    CALLS,
    ITEM,
    TENANT,
    daemons,
    filled,
    indexes_on,
    migrated_template,
    postgres_server,
    rolled_back,
    steps_of,
)
from tests.support.plans import Node

__all__ = ["daemons", "filled", "migrated_template", "postgres_server"]

SIZE = 21
MOMENT = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=25_001)
INDEXES = {
    Sort.OLDEST: "content_items_page",
    Sort.LAST_CHANGED: "content_items_updated",
    Sort.FIRST_CHANGED: "content_items_updated",
    Sort.TITLE: "content_items_title",
    Sort.TITLE_DOWN: "content_items_title",
    Sort.SCHEDULE: "content_items_scheduled",
    Sort.SCHEDULE_DOWN: "content_items_scheduled",
}
READ_IN_ORDER = {"Index Scan", "Index Only Scan"}


def middle(sort: Sort) -> SortedPlace:
    """A place deep in the list of a sort."""
    if sort in {Sort.TITLE, Sort.TITLE_DOWN}:
        return SortedPlace(content_id=ITEM, key="item 25001")
    if sort in {Sort.SCHEDULE, Sort.SCHEDULE_DOWN}:
        return SortedPlace(content_id=ITEM)
    return SortedPlace(content_id=ITEM, at=MOMENT)


async def page(
    connection: asyncpg.Connection,
    sort: Sort,
    filters: Filters | None = None,
    after: SortedPlace | None = None,
) -> Listed:
    """A page of the large brand."""
    return await PostgresLibrary(connection).list_items(
        TENANT, BRAND, filters=filters or Filters(), after=after, size=SIZE, skip=0, sort=sort
    )


def rows_of(table: str, nodes: list[Node]) -> float:
    """How many rows of a table one answer read."""
    return sum(node.rows for node in nodes if node.table == table) / CALLS


def scans(nodes: list[Node]) -> Counter[str]:
    """How content items were reached."""
    return Counter(node.kind for node in nodes if node.table == "content_items")


@pytest.mark.parametrize(("sort", "index"), INDEXES.items())
@pytest.mark.parametrize("deep", [False, True])
async def test_every_order_walks_its_index(
    daemons: Sessions, sort: Sort, index: str, *, deep: bool
):
    """From the start and from a place in the middle, reading nothing that is not shown."""
    after = middle(sort) if deep else None
    nodes = await steps_of(daemons.readers, lambda link: page(link, sort, after=after))

    assert indexes_on("content_items", nodes) == {index}
    assert set(scans(nodes)) <= READ_IN_ORDER
    assert rows_of("content_items", nodes) <= 2 * SIZE


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST])
async def test_a_filter_by_kind_merges_the_kinds(daemons: Sessions, sort: Sort):
    """Each is read in order from its own index, so a rare one costs no more than a common one."""
    filters = Filters(statuses=["draft"], types=["post"])
    nodes = await steps_of(daemons.readers, lambda link: page(link, sort, filters))

    assert indexes_on("content_items", nodes) == {"content_items_kind"}
    assert set(scans(nodes)) <= READ_IN_ORDER


async def test_a_campaign_is_found_by_its_index(daemons: Sessions):
    """Most items belong to none."""
    filters = Filters(campaign_space_id="nobody's")
    nodes = await steps_of(daemons.readers, lambda link: page(link, Sort.NEWEST, filters))

    assert indexes_on("content_items", nodes) == {"content_items_campaign"}


@pytest.mark.parametrize("sort", [Sort.SCHEDULE, Sort.SCHEDULE_DOWN])
async def test_a_place_among_what_has_a_schedule_is_walked_from(daemons: Sessions, sort: Sort):
    """What has none follows, from the same index."""
    after = SortedPlace(content_id=ITEM, at=MOMENT)
    nodes = await steps_of(daemons.readers, lambda link: page(link, sort, after=after))

    assert indexes_on("content_items", nodes) == {"content_items_scheduled"}
    assert rows_of("content_items", nodes) <= 2 * SIZE


async def test_the_plans_were_those_of_full_answers(daemons: Sessions):
    """Not of empty ones, which are easily quick."""
    async with rolled_back(daemons.readers) as connection:
        for sort in INDEXES:
            assert len((await page(connection, sort)).items) == SIZE
            assert len((await page(connection, sort, after=middle(sort))).items) == SIZE


@pytest.mark.parametrize(
    ("filters", "total", "is_capped"),
    [
        (Filters(), 30_000, False),
        (Filters(types=["post"], statuses=["draft"]), 25_000, False),
        (Filters(created_from=datetime(2020, 1, 1, tzinfo=UTC)), 10_000, True),
        (Filters(words="hay"), 10_000, True),
    ],
)
@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.TITLE])
async def test_a_total_is_exact_where_counters_know_it(
    daemons: Sessions, filters: Filters, total: int, *, is_capped: bool, sort: Sort
):
    """Elsewhere it is counted as far as it is cheap, and says so."""
    async with rolled_back(daemons.readers) as connection:
        listed = await page(connection, sort, filters)

    assert (listed.total, listed.is_capped) == (total, is_capped)


async def test_an_export_walks_the_brands_own_index(daemons: Sessions):
    """In the order of creation, from the place to which it came."""
    until = datetime(2030, 1, 1, tzinfo=UTC)
    after = SortedPlace(content_id=ITEM, at=MOMENT)

    async def step(connection: asyncpg.Connection) -> int:
        shelves = PostgresShelves(connection)
        return len(await shelves.along(TENANT, BRAND, after=after, until=until, size=200))

    nodes = await steps_of(daemons.readers, step)

    assert indexes_on("content_items", nodes) == {"content_items_page"}
    assert "Sort" not in {node.kind for node in nodes}
    async with rolled_back(daemons.readers) as connection:
        assert await step(connection) == 200
