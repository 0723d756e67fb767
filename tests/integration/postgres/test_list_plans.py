"""Lists in every order and exports reach what they need by an index of their own.

Asked as the daemon asks them, in a database with 50,000 items of which one brand has 30,000; see
`test_query_plans`.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.adapters.postgres.shelves import PostgresShelves
from engarde_daemon.domain.content import Item
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
RARE = Filters(statuses=["archived"])
RARE_ITEMS = 1_250
CHAFF_ENDS = 40_000
LONG = 3_000  # how much the tenant `long` has of whatever is read in pages
MIDST = datetime(2026, 1, 1, 0, 25, tzinfo=UTC)
DEEP_READS: dict[str, tuple[str, list[Any], int]] = {
    "list_trash_v1": (
        "content_items",
        ["long", "long", MIDST.replace(tzinfo=None), "long-1500", SIZE, 0],
        LONG + 2 * SIZE,
    ),
    "read_history_v1": ("content_versions", ["long", "long-1", True, 1_500, SIZE], 2 * SIZE),
    "export_page_v1": (
        "content_items",
        [TENANT, BRAND, MOMENT.replace(tzinfo=None), ITEM, datetime(2030, 1, 1), SIZE],  # noqa: DTZ001 - as the columns
        2 * SIZE,
    ),
    "list_api_keys_v1": (
        "api_keys",
        [TENANT, "key-2500", None, ["editor"], None, None, SIZE],
        2 * SIZE,
    ),
    "read_deliveries_v1": ("webhook_deliveries", ["long", "long", None, 1_500, SIZE], 2 * SIZE),
    "read_jobs_v2": (
        "content_generation_jobs",
        ["long", None, None, None, MIDST, "long-1500", SIZE],
        3 * SIZE,
    ),
    "read_generation_items_v1": (
        "generation_items",
        ["long", "long-1", ["failed"], 0, None, SIZE],
        2 * SIZE,
    ),
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


def key_of(item: Item, sort: Sort) -> tuple[object, ...]:
    """What an item is sorted by."""
    name = sort.lstrip("-")
    if name == "scheduled_at":
        is_last = (item.scheduled_at is None) is not sort.startswith("-")
        return (is_last, item.scheduled_at or MOMENT, item.id)
    return (getattr(item, name), item.id)


def after(seen: list[Item], sort: Sort) -> SortedPlace | None:
    """Where the page after these items starts."""
    if not seen:
        return None
    item = seen[-1]
    if sort in {Sort.TITLE, Sort.TITLE_DOWN}:
        return SortedPlace(content_id=item.id, key=item.title)
    return SortedPlace(content_id=item.id, at=getattr(item, sort.lstrip("-")))


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


@pytest.mark.parametrize("sort", INDEXES)
@pytest.mark.parametrize("filters", [RARE, Filters(statuses=["archived"], created_from=MOMENT)])
async def test_what_is_of_a_rare_kind_is_gathered(daemons: Sessions, sort: Sort, filters: Filters):
    """Whatever the order: the large brand would be walked from end to end for it."""
    nodes = await steps_of(daemons.readers, lambda link: page(link, sort, filters))

    assert indexes_on("content_items", nodes) == {"content_items_kind"}
    assert rows_of("content_items", nodes) <= 2 * RARE_ITEMS


@pytest.mark.parametrize("sort", INDEXES)
async def test_pages_of_a_rare_kind_make_up_the_list(daemons: Sessions, sort: Sort):
    """Each item once and in its order, those without a schedule last."""
    seen: list[Item] = []
    async with rolled_back(daemons.writers) as connection:
        await connection.execute(
            "update content_items set scheduled_at = created_at "
            "where tenant_id = $1 and status = 'archived' and id like '%71'",
            TENANT,
        )
        while items := (await page(connection, sort, RARE, after(seen, sort))).items:
            seen += items

    assert len(seen) == len({item.id for item in seen}) == RARE_ITEMS
    keys = [key_of(item, sort) for item in seen]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.LAST_CHANGED, Sort.TITLE_DOWN])
async def test_hits_far_from_where_a_list_begins_are_gathered(daemons: Sessions, sort: Sort):
    """Not every item up to there is looked at; a word of the newest items is found in these."""
    filters = Filters(words="chaff")
    nodes = await steps_of(daemons.readers, lambda link: page(link, sort, filters))
    async with rolled_back(daemons.readers) as connection:
        first = await page(connection, sort, filters)
        second = await page(connection, sort, filters, after(first.items, sort))

    looked_at = sum(node.rows for node in nodes if node.index == "content_search_pkey") / CALLS
    assert looked_at <= 100 * SIZE + 2 * 200
    chaff = [n for n in range(CHAFF_ENDS, 0, -1) if n % 5 < 3]
    if sort is Sort.TITLE_DOWN:
        chaff.sort(key=lambda n: f"item {n}", reverse=True)
    found = [int(item.id[-6:]) for item in [*first.items, *second.items]]
    assert found == chaff[: 2 * SIZE]
    assert (first.total, first.is_capped) == (10_000, True)


@pytest.mark.parametrize("name", DEEP_READS)
async def test_a_generic_plan_goes_to_the_place_where_a_page_starts(daemons: Sessions, name: str):
    """As sessions use it after some calls: what lies before costs nothing."""
    table, arguments, most = DEEP_READS[name]
    places = ", ".join(f"${number + 1}" for number in range(len(arguments)))
    answers: list[int] = []

    async def read(connection: asyncpg.Connection) -> None:
        await connection.execute("set local plan_cache_mode = force_generic_plan")
        rows = await connection.fetch(f"select * from engarde.{name}({places})", *arguments)  # noqa: S608 - names of ours
        answers.append(len(rows))

    nodes = await steps_of(daemons.readers, read)

    assert set(answers) == {1 if "failed" in str(arguments) or "key-2500" in arguments else SIZE}
    assert 0 < rows_of(table, nodes) <= most


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
