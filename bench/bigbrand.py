"""The big brand: 200,000 items in a table of 1,000,000, read beside a brand of 1,000.

The table is filled by COPY, in the columns that the daemon's own writes fill, and the ledger is
counted anew from it; then the daemon is asked the same questions for both brands. Rows of all
brands lie mixed in the table, as they would after a year of writing.
"""

import itertools
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from bench.cases import BIG_BRAND, PAGE, SMALL_BRAND, Target
from bench.check import read_json
from bench.load.corpus import marketing_text
from bench.load.order import LoadOrder, Traffic
from bench.measure import run_load
from bench.provision import database_of
from bench.results import BrandRead
from bench.tenants import Tenant

ITEMS = 1_000_000
BIG_EVERY, SMALL_EVERY = 5, 1_000
FILLER_TENANTS = 800

_COLUMNS = (
    "id", "tenant_id", "brand_id", "user_id", "title", "content_type", "status",
    "content_metadata", "created_at", "updated_at", "zerodb_id", "storage_size_bytes", "version",
    "body_version", "body_sha256", "preview",
)  # fmt: skip
_ROWS_PER_CHUNK = 1_000
_NEWEST = datetime(2026, 1, 25, tzinfo=UTC)

_ADD_TENANTS = """
INSERT INTO public.tenants (id, name, plan_tier)
SELECT 'filler-' || n, 'Filler ' || n, 'enterprise' FROM generate_series(0, $1::int - 1) n
"""
_COUNT_AGAIN = """
DELETE FROM engarde.content_counts;
INSERT INTO engarde.content_counts (tenant_id, brand_id, content_type, status, items, bytes)
SELECT tenant_id, brand_id, content_type, status, count(*), sum(storage_size_bytes)
FROM public.content_items WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4;
INSERT INTO public.content_storage_usage (tenant_id, total_content_items, total_storage_bytes)
SELECT tenant_id, sum(items), sum(bytes) FROM engarde.content_counts GROUP BY 1
ON CONFLICT (tenant_id) DO UPDATE SET total_content_items = excluded.total_content_items,
    total_storage_bytes = excluded.total_storage_bytes;
"""


async def fill(data_dir: Path, *, big: Tenant, small: Tenant) -> None:
    """Fill the daemon's own table, count the ledger from it, and vacuum."""
    async with database_of(data_dir) as connection:
        await connection.execute(_ADD_TENANTS, FILLER_TENANTS)
        # Every row names a tenant that was just made; a million checks of it would take longer
        # than the copy itself.
        await connection.execute("SET session_replication_role = replica")
        await connection.copy_to_table(
            "content_items", schema_name="public", columns=_COLUMNS, source=_chunks(big, small)
        )
        await connection.execute("SET session_replication_role = origin")
        await connection.execute(_COUNT_AGAIN)
        await connection.execute("VACUUM (ANALYZE) public.content_items")


def read_brands(target: Target, seconds: float) -> list[BrandRead]:
    """Ask the same questions of both brands, one client, one right after the other."""
    big, small = target.tenants[BIG_BRAND], target.tenants[SMALL_BRAND]
    pages = {
        big.api_key: ITEMS // BIG_EVERY // 20,
        small.api_key: ITEMS // SMALL_EVERY // 20,
    }
    questions = {
        "first page": dict.fromkeys(pages, PAGE),
        "page in the middle, by cursor": {
            key: _cursor_page(target.port, key, count // 2) for key, count in pages.items()
        },
        "first page of drafts": dict.fromkeys(pages, f"{PAGE}&status=draft"),
        "totals of the quota": dict.fromkeys(pages, "/api/content/quota"),
    }
    return [
        BrandRead(
            name=name,
            small_ms=_median_ms(target.port, small.api_key, paths, seconds=seconds),
            big_ms=_median_ms(target.port, big.api_key, paths, seconds=seconds),
        )
        for name, paths in questions.items()
    ]


def _cursor_page(port: int, key: str, page: int) -> str:
    """Go to a page by its number once, and then on from it by cursor."""
    before = read_json(port, key, f"/api/content?page={page}&pageSize=20")
    return f"/api/content?pageSize=20&cursor={quote(before['pagination']['nextCursor'])}"


def _median_ms(port: int, key: str, paths: dict[str, str], *, seconds: float) -> float:
    order = LoadOrder(
        port=port,
        traffic=Traffic.FETCH,
        keys=[key],
        paths=[paths[key]],
        connections=1,
        seconds=seconds,
        warm_up_s=0.3,
    )
    return run_load(order).p50_ms


async def _chunks(big: Tenant, small: Tenant) -> AsyncIterator[bytes]:
    rows = _rows(big, small)
    while chunk := "".join(itertools.islice(rows, _ROWS_PER_CHUNK)):
        yield chunk.encode()


def _rows(big: Tenant, small: Tenant) -> Iterator[str]:
    """Lines in COPY's text format, oldest item first."""
    rng = random.Random(ITEMS)
    previews = [marketing_text(rng, 200).replace("\n", " ") for _ in range(64)]
    details = '{"platforms":["instagram"],"tags":["summer","launch"]}'
    for number in range(ITEMS):
        item = f"{rng.getrandbits(32):08x}-0000-4000-8000-{number:012x}"
        created = (_NEWEST - timedelta(seconds=ITEMS - number)).isoformat(sep=" ")[:19]
        owner = _owner(number, big, small)
        status = "draft" if number % 3 else "published"
        yield (
            f"{item}\t{owner}\tSummer campaign {number}\tpost\t{status}\t{details}\t{created}\t"
            f"{created}\t{item}\t4096\t1\t1\t{number:064x}\t{previews[number % 64]}\n"
        )


def _owner(number: int, big: Tenant, small: Tenant) -> str:
    """Tenant, brand and user of a row, as COPY wants them."""
    if number % BIG_EVERY == 0:
        return f"{big.tenant_id}\t{big.brand_id}\t{big.user_id}"
    if number % SMALL_EVERY == 1:
        return f"{small.tenant_id}\t{small.brand_id}\t{small.user_id}"
    filler = f"filler-{number % FILLER_TENANTS}"
    return f"{filler}\t{filler}\t{filler}"
