"""Reading the archive in BigQuery.

Owns the two ways to read. Few versions are looked up in two steps: where they are, over the whole
span but without bodies, then the bodies, within the days where they were found. All versions of a
span are walked through in stretches of days, each read and paid for once. A repeated row is told
once, a damaged one not at all.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

import msgspec
from google.cloud.bigquery.table import Row

from engarde_daemon.adapters.bigquery.queries import Queries, Values
from engarde_daemon.domain.analytics import Answer, Question, answer_part
from engarde_daemon.domain.records import RecordKey
from engarde_daemon.domain.snapshots import ContentSnapshot, SnapshotKey, snapshot_id
from engarde_daemon.ports.archive import Span

LOOKUP_ROWS = 500
PAGE_ROWS = 500
KEY_PAGE_ROWS = 10_000
STRETCH_ROWS = 100_000


class BigQueryReader:
    """What reads and recovery ask of BigQuery."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def get_many(
        self, keys: Sequence[RecordKey], span: Span
    ) -> dict[RecordKey, ContentSnapshot]:
        """These versions, as far as they are there and intact.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer.
        """
        found = {}
        for tenant_id, wanted in _by_tenant(keys):
            values: Values = {
                "tenant_id": tenant_id,
                "content_ids": sorted({key.content_id for key in wanted}),
                "snapshot_ids": [snapshot_id(key.content_id, key.version) for key in wanted],
            }
            places = await self._queries.rows("places_of_versions", {**values, **_bounds(span)})
            found.update({row.key: row for row in await self._bodies(tenant_id, places)})
        return {key: found[key] for key in keys if key in found and found[key].is_intact()}

    async def newest(
        self, tenant_id: str, content_ids: Sequence[str], span: Span
    ) -> dict[str, ContentSnapshot]:
        """The newest version of each of these contents, as far as they are there and intact.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer.
        """
        newest = {}
        for start in range(0, len(content_ids), LOOKUP_ROWS):
            some = list(content_ids[start : start + LOOKUP_ROWS])
            values: Values = {"tenant_id": tenant_id, "content_ids": some, **_bounds(span)}
            places = await self._queries.rows("places_of_newest", values)
            rows = await self._bodies(tenant_id, places)
            newest.update({row.content_id: row for row in rows if row.is_intact()})
        return newest

    async def sums(self, question: Question, *, besides: Sequence[str], most: int) -> Answer:
        """See `FigureReader.sums`.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer.
        """
        values: Values = {**question.parameters, "besides": list(besides), "most": most}
        rows = await self._queries.rows("sums", values)
        return dict(answer_part(row.values()) for row in rows)

    async def scan(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[ContentSnapshot]]:
        """Every version of the span in pages of bounded memory, those of one content in order.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer.
        """
        whose: Values = {"tenant_id": tenant_id, "brand_id": brand_id}
        days = await self._queries.rows("days", {**whose, **_bounds(span)})
        for stretch in stretches(span, [(row.day, row.row_count) for row in days]):
            values: Values = {**whose, **_bounds(stretch)}
            async for page in self._queries.pages("scan", values, page_rows=PAGE_ROWS):
                yield [_snapshot(row) for row in page]

    async def keys(
        self, span: Span, *, tenant_id: str | None = None, brand_id: str | None = None
    ) -> AsyncIterator[Sequence[SnapshotKey]]:
        """What `scan` gives, without the bodies, ordered by tenant, content and version.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer.
        """
        values: Values = {"tenant_id": tenant_id, "brand_id": brand_id, **_bounds(span)}
        async for page in self._queries.pages("keys", values, page_rows=KEY_PAGE_ROWS):
            yield [SnapshotKey(*row) for row in page]

    async def _bodies(self, tenant_id: str, places: Sequence[Row]) -> list[ContentSnapshot]:
        if not places:
            return []
        times = [place.snapshot_timestamp for place in places]
        values: Values = {
            "tenant_id": tenant_id,
            "content_ids": sorted({place.content_id for place in places}),
            "snapshot_ids": sorted({place.snapshot_id for place in places}),
            "since": min(times),
            "until": max(times),
        }
        return [_snapshot(row) for row in await self._queries.rows("bodies", values)]


def stretches(span: Span, days: Sequence[tuple[date, int]]) -> Iterator[Span]:
    """Cut a span into pieces of whole days with about as many rows each; empty days cost nothing."""
    first, rows = None, 0
    for day, count in days:
        first, rows = first or day, rows + count
        if rows >= STRETCH_ROWS:
            yield _days(span, first, day)
            first, rows = None, 0
    if first is not None:
        yield _days(span, first, days[-1][0])


def _days(span: Span, first: date, last: date) -> Span:
    since = datetime.combine(first, time(), UTC)
    until = datetime.combine(last + timedelta(days=1), time(), UTC)
    return Span(max(span.since, since), min(span.until, until))


def _by_tenant(keys: Sequence[RecordKey]) -> Iterator[tuple[str, list[RecordKey]]]:
    ordered = sorted(keys, key=lambda key: key.tenant_id)
    for tenant_id, group in groupby(ordered, lambda key: key.tenant_id):
        wanted = list(group)
        for start in range(0, len(wanted), LOOKUP_ROWS):
            yield tenant_id, wanted[start : start + LOOKUP_ROWS]


def _bounds(span: Span) -> Values:
    return {"since": span.since, "until": span.until}


def _snapshot(row: Row) -> ContentSnapshot:
    return msgspec.convert(dict(row.items()), ContentSnapshot)
