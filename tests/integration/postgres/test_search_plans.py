"""A search reads a bounded part of the index, whatever is sought in however large a brand.

Asked as the daemon asks it, in a database with 50,000 items of which one brand has 30,000; see
`test_query_plans`.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.library import RANKED_MAX, PostgresLibrary
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.ports.content import Filters, Listed
from engarde_daemon.ports.lists import Sort
from tests.integration.postgres.test_query_plans import (
    BRAND,
    CALLS,
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
NEEDLES = 5
FRESH = 200  # versions that are looked at before they are indexed
ERAS = 2 * 512  # the newest items among which a search looks first, at most
PHRASE_ENOUGH = 20  # hits of a phrase, beyond which it is sought no further
PHRASE_MOST = 1_500  # documents that are read for a phrase
SMALL = "tenant-3", "brand-3"
SMALL_ITEMS = 500
CHAFF_ENDS = 40_000
MOMENT = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=25_000)


async def search(
    link: asyncpg.Connection,
    words: str,
    *,
    sort: Sort = Sort.RELEVANCE,
    size: int = SIZE,
    brand: tuple[str, str] = (TENANT, BRAND),
    **filters: object,
) -> Listed:
    """The first page of what fits."""
    wanted = Filters(words=words, **filters)  # type: ignore[arg-type]
    return await PostgresLibrary(link).list_items(
        *brand, filters=wanted, after=None, size=size, skip=0, sort=sort
    )


@pytest.fixture
async def reader(daemons: Sessions) -> AsyncIterator[asyncpg.Connection]:
    """A reader's connection."""
    async with rolled_back(daemons.readers) as connection:
        yield connection


def rows_of(table: str, nodes: list[Node]) -> float:
    """How many rows of a table one answer read."""
    return sum(node.rows for node in nodes if node.table == table) / CALLS


def numbers(listed: Listed) -> list[int]:
    """Which items were found, by the number in their ids."""
    return [int(item.id[-6:]) for item in listed.items]


@pytest.mark.parametrize("sort", [Sort.RELEVANCE, Sort.NEWEST, Sort.TITLE])
@pytest.mark.parametrize("words", ["needle", '"needle"', "needle or nothing", "needle -straw"])
async def test_a_selective_search_asks_the_full_text_index(
    daemons: Sessions, sort: Sort, words: str
):
    """Although row level security keeps `@@` from every index of a reader's own.

    By key it looks at no more than what was written a moment ago and may not be indexed yet.
    """
    nodes = await steps_of(daemons.readers, lambda link: search(link, words, sort=sort))

    assert indexes_on("content_search", nodes) == {"content_search_document", "content_search_pkey"}
    assert rows_of("content_search", nodes) <= FRESH + 4 * NEEDLES
    assert indexes_on("content_items", nodes) == {"content_items_pkey"}
    assert rows_of("content_items", nodes) <= 3 * NEEDLES


async def test_the_beginning_of_words_is_read_in_the_newest_items_first(daemons: Sessions):
    """For it may stand for any number of words of the index; what is rare there is then asked of it."""
    nodes = await steps_of(daemons.readers, lambda link: search(link, "need*"))

    assert indexes_on("content_search", nodes) == {"content_search_document", "content_search_pkey"}
    assert rows_of("content_search", nodes) <= FRESH + ERAS + NEEDLES
    assert rows_of("content_items", nodes) <= 3 * NEEDLES


@pytest.mark.parametrize("words", ["hay", "ha*", "hay -straw", "hay or needle", "-straw"])
async def test_what_is_common_is_sought_among_the_newest_items(daemons: Sessions, words: str):
    """The full-text index alone would name nearly all of them."""
    nodes = await steps_of(daemons.readers, lambda link: search(link, words))

    assert indexes_on("content_search", nodes) == {"content_search_document", "content_search_pkey"}
    assert rows_of("content_search", nodes) <= 2 * FRESH + ERAS + RANKED_MAX + 1
    assert indexes_on("content_items", nodes) == {"content_items_pkey"}
    assert rows_of("content_items", nodes) <= RANKED_MAX + 1 + 2 * SIZE


@pytest.mark.parametrize(("words", "fits"), [("hay", 0), ('"soft hay"', 6)])
async def test_what_is_common_is_found_where_it_is_newest(
    reader: asyncpg.Connection, words: str, fits: int
):
    """All that fit alike come in the order of their creation, without a gap."""
    listed = await search(reader, words)

    ours = (n for n in range(50_000, 0, -1) if n % 5 < 3 and n % 10_000)
    newest = [n for n in ours if n % 100 == (fits or n % 100)]
    assert numbers(listed) == newest[:SIZE]
    assert listed.is_capped


async def test_a_phrase_of_common_words_reads_a_bounded_number_of_documents(daemons: Sessions):
    """Only they say whether the words stand side by side."""
    nodes = await steps_of(daemons.readers, lambda link: search(link, '"soft hay"'))

    assert rows_of("content_search", nodes) <= FRESH + ERAS + 4 * ERAS


@pytest.mark.parametrize("words", ['"soft item"', '"chaff hay" or "chaff soft"', '"soft item" ha*'])
async def test_a_phrase_that_nobody_wrote_ends_a_search_that_may_have_missed_it(
    daemons: Sessions, words: str
):
    """Its words are nearly everywhere, so no more is read than can be waited for."""
    nodes = await steps_of(daemons.readers, lambda link: search(link, words))
    async with rolled_back(daemons.readers) as connection:
        listed = await search(connection, words)

    assert PHRASE_MOST < rows_of("content_search", nodes) <= FRESH + 2 * PHRASE_MOST + ERAS
    assert indexes_on("content_search", nodes) <= {
        "content_search_document",
        "content_search_pkey",
        "content_search_unnumbered",
    }
    assert (listed.items, listed.total, listed.is_capped) == ([], 0, True)


async def test_a_phrase_is_sought_everywhere_in_any_other_order(reader: asyncpg.Connection):
    """Where all hits are listed."""
    listed = await search(reader, '"soft item"', sort=Sort.NEWEST)

    assert (listed.items, listed.total, listed.is_capped) == ([], 0, False)


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ('"soft hay" -chaff', lambda n: n % 100 == 6 and n > CHAFF_ENDS),
        ('"soft hay" or needle', lambda n: n % 100 == 6 or n % 10_000 == 0),
        ('"soft hay" or need*', lambda n: n % 100 == 6 or n % 10_000 == 0),
        ('"hay soft" "soft straw"', lambda n: n % 20 == 1),
        ('"hay soft" str*', lambda n: n % 20 == 1 and n % 100 != 6),
        ('"hay soft" -"soft straw" -chaff', lambda n: n % 20 != 1 and n % 100 != 6 and n > 40_000),
    ],
)
@pytest.mark.parametrize("sort", [Sort.RELEVANCE, Sort.NEWEST])
async def test_a_phrase_stands_beside_other_words(
    reader: asyncpg.Connection, words: str, fits: Callable[[int], bool], sort: Sort
):
    """Whatever is asked of the index, only what fits is found, and the newest of it."""
    listed = await search(reader, words, sort=sort)

    ours = [n for n in range(50_000, 0, -1) if n % 5 < 3 and fits(n)]
    if "needle" not in words and "need*" not in words:
        ours = [n for n in ours if n % 10_000]
    if sort is Sort.NEWEST:
        assert numbers(listed) == ours[:SIZE]
    else:
        assert set(numbers(listed)) <= set(ours[: listed.total])
    assert len(listed.items) == SIZE


@pytest.mark.parametrize("sort", [Sort.RELEVANCE, Sort.NEWEST])
@pytest.mark.parametrize("phrase", ["soft item", "needle straw"])
async def test_a_phrase_is_found_in_what_has_no_number_yet(
    daemons: Sessions, sort: Sort, phrase: str
):
    """Documents of before there were numbers lie in no era."""
    async with rolled_back(daemons.writers) as connection:
        await connection.execute(
            "update engarde.content_search set ordinal = null, "
            "document = to_tsvector('english', $2) || array_to_tsvector('{@b:brand-0}') "
            "where content_id = $1",
            "00000000-0000-7000-8000-000000000001",
            phrase,
        )
        listed = await search(connection, f'"{phrase}"', sort=sort)

    is_sought_everywhere = sort is Sort.NEWEST or phrase == "needle straw"
    assert numbers(listed) == ([1] if is_sought_everywhere else [])


@pytest.mark.parametrize("words", ["chaff", "chaf*", '"soft chaff"', "chaff -needle"])
async def test_what_was_common_long_ago_is_found_where_it_is_newest(
    reader: asyncpg.Connection, words: str
):
    """Though the newest eras hold nothing of it, and the whole brand more than can be looked at."""
    listed = await search(reader, words)

    chaff = [n for n in range(CHAFF_ENDS, 0, -1) if n % 5 < 3]
    fits = {
        '"soft chaff"': [n for n in chaff if n % 10_000 and n % 100 != 6 and n % 20 != 1],
        "chaff -needle": [n for n in chaff if n % 10_000],
    }
    enough = PHRASE_ENOUGH if words.startswith('"') else SIZE
    assert numbers(listed)[:enough] == fits.get(words, chaff)[:enough]
    assert listed.is_capped
    assert listed.total == RANKED_MAX or words == '"soft chaff"'


@pytest.mark.parametrize("words", ["hay", "ha*", "straw -needle", '"hay soft"'])
async def test_filters_that_leave_few_items_leave_an_exact_total(
    reader: asyncpg.Connection, words: str
):
    """However many there are without them."""
    moments = [MOMENT, MOMENT + timedelta(seconds=999)]
    by_moment = await search(reader, words, created_from=moments[0], created_to=moments[1])
    elsewhere = await search(reader, words, campaign_space_id="nobody's")

    fits = [n for n in range(25_000, 26_000) if n % 5 < 3 and (n % 20 == 1 or "straw" not in words)]
    if words == '"hay soft"':
        fits = [n for n in fits if n % 100 != 6]
    assert (by_moment.total, by_moment.is_capped) == (
        min(len(fits), RANKED_MAX),
        len(fits) > RANKED_MAX,
    )
    assert (elsewhere.total, elsewhere.is_capped) == (0, False)


async def test_a_filter_that_leaves_many_items_is_searched_era_by_era(reader: asyncpg.Connection):
    """What fits it comes from the newest of them."""
    listed = await search(reader, "straw", types=["ad"])

    assert numbers(listed) == [n for n in range(50_000, 0, -1) if n % 20 == 1][:SIZE]


@pytest.mark.parametrize("words", ["needle", "need*", '"needle"'])
@pytest.mark.parametrize("sort", [Sort.RELEVANCE, Sort.NEWEST])
async def test_a_rare_word_is_found_wherever_it_is(
    reader: asyncpg.Connection, words: str, sort: Sort
):
    """With the exact total."""
    listed = await search(reader, words, sort=sort)

    assert numbers(listed) == [50_000, 40_000, 30_000, 20_000, 10_000]
    assert (listed.total, listed.is_capped) == (NEEDLES, False)


@pytest.mark.parametrize("sort", [Sort.RELEVANCE, Sort.NEWEST])
async def test_a_common_word_costs_a_small_brand_no_more_than_its_own(
    daemons: Sessions, sort: Sort
):
    """However many items of other tenants hold it."""
    nodes = await steps_of(
        daemons.readers, lambda link: search(link, "hay", sort=sort, brand=SMALL)
    )

    assert rows_of("content_search", nodes) <= FRESH + 2 * SMALL_ITEMS
    assert rows_of("content_items", nodes) <= SMALL_ITEMS + 2 * SIZE
    async with rolled_back(daemons.readers) as connection:
        assert len((await search(connection, "hay", sort=sort, brand=SMALL)).items) == SIZE
