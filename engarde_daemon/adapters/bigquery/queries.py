"""Questions to BigQuery in SQL, asked in worker threads.

Owns the bounds of every question: a deadline, a limit of what it may cost, and parameters instead
of text. Long answers come in pages; a page that nobody asks for is not fetched. They and changes may
take minutes, because they go through all that there is: they are jobs, looked after one deadline at
a time, so that no thread holds up the end of the daemon.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import TypeAlias

from google.cloud import bigquery
from google.cloud.bigquery import ArrayQueryParameter, QueryJobConfig, ScalarQueryParameter
from google.cloud.bigquery.job import QueryJob
from google.cloud.bigquery.table import Row, RowIterator

from engarde_daemon.adapters.bigquery.clients import Rest
from engarde_daemon.adapters.bigquery.denials import READ_ROWS
from engarde_daemon.domain.errors import ArchiveUnavailable
from sql import statements

Value: TypeAlias = str | bool | int | date | datetime | Sequence[str] | None
Values: TypeAlias = Mapping[str, Value]

LOOKS_MAX = 20

_SQL = statements("bigquery/archive")
# In this order: a bool is an int to Python, and a datetime a date.
_SCALARS = ((bool, "BOOL"), (int, "INT64"), (datetime, "TIMESTAMP"), (date, "DATE"))


class Queries:
    """Asks the statements of `sql/queries/bigquery/archive.sql` by name."""

    def __init__(self, rest: Rest, *, maximum_bytes_billed: int) -> None:
        self._rest = rest
        self._maximum_bytes_billed = maximum_bytes_billed

    async def rows(self, name: str, values: Values, *, needs: str = READ_ROWS) -> list[Row]:
        """Every row of a short answer.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer, or the answer would cost too much.
        """
        return await self._rest.run(
            lambda client: list(self._ask(client, name, values)), needs=needs
        )

    async def changed(self, name: str, values: Values, *, needs: str) -> int:
        """Change rows, and count them.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer, or the change would cost too much.
        """
        done = await self._done(name, values, needs=needs)
        return done.num_dml_affected_rows or 0

    async def pages(
        self, name: str, values: Values, *, page_rows: int
    ) -> AsyncIterator[Sequence[Row]]:
        """The rows of a long answer, a page at a time.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer, or the answer would cost too much.
        """
        answer = await self._done(name, values, needs=READ_ROWS, page_rows=page_rows)
        turn = partial(_next_page, answer.pages)
        while (page := await self._rest.run(turn, needs=READ_ROWS)) is not None:
            if page:  # an empty one need not be the last
                yield page

    async def _done(
        self, name: str, values: Values, *, needs: str, page_rows: int | None = None
    ) -> RowIterator:
        job = await self._rest.run(partial(self._begun, name=name, values=values), needs=needs)
        look = partial(self._looked_after, job=job, page_rows=page_rows)
        for _ in range(LOOKS_MAX):
            if (answer := await self._rest.run(look, needs=needs)) is not None:
                return answer
        waited_s = LOOKS_MAX * self._rest.timeout_s
        raise ArchiveUnavailable(
            f"BigQuery has not ended {name} within {waited_s:g} s.", after_s=60.0
        )

    def _begun(self, client: bigquery.Client, name: str, values: Values) -> QueryJob:
        return client.query(
            _SQL[name],
            job_config=self._configuration(values),
            retry=self._rest.retry,
            timeout=self._rest.timeout_s,
            job_retry=None,
        )

    def _looked_after(
        self, _: bigquery.Client, job: QueryJob, page_rows: int | None
    ) -> RowIterator | None:
        """The answer, unless it takes longer; BigQuery works on it either way."""
        try:
            return job.result(
                page_size=page_rows, retry=self._rest.retry, timeout=self._rest.timeout_s
            )
        except TimeoutError:
            return None

    def _ask(self, client: bigquery.Client, name: str, values: Values) -> RowIterator:
        return client.query_and_wait(
            _SQL[name],
            job_config=self._configuration(values),
            api_timeout=self._rest.timeout_s,
            wait_timeout=self._rest.timeout_s,
            retry=self._rest.retry,
            job_retry=None,  # type: ignore[arg-type]  # documented, but not annotated (3.47.0)
        )

    def _configuration(self, values: Values) -> QueryJobConfig:
        return QueryJobConfig(
            query_parameters=[_parameter(*value) for value in values.items()],
            maximum_bytes_billed=self._maximum_bytes_billed,
        )


def _next_page(pages: Iterator[Iterable[Row]], _: bigquery.Client) -> Sequence[Row] | None:
    page = next(pages, None)
    return None if page is None else list(page)


def _parameter(name: str, value: Value) -> ScalarQueryParameter | ArrayQueryParameter:
    if value is None or isinstance(value, str):
        return ScalarQueryParameter(name, "STRING", value)
    for kind, type_ in _SCALARS:
        if isinstance(value, kind):
            return ScalarQueryParameter(name, type_, value)
    return ArrayQueryParameter(name, "STRING", value)
