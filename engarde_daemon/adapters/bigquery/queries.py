"""Questions to BigQuery in SQL, asked in worker threads.

Owns the bounds of every question: a deadline, a limit of what it may cost, and parameters instead
of text. Answers come in pages; a page that nobody asks for is not fetched.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import TypeAlias

from google.cloud import bigquery
from google.cloud.bigquery import ArrayQueryParameter, QueryJobConfig, ScalarQueryParameter
from google.cloud.bigquery.table import Row, RowIterator

from engarde_daemon.adapters.bigquery.clients import Rest
from engarde_daemon.adapters.bigquery.denials import READ_ROWS
from sql import statements

Value: TypeAlias = str | bool | int | date | datetime | Sequence[str] | None
Values: TypeAlias = Mapping[str, Value]

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
        done = await self._rest.run(partial(self._ask, name=name, values=values), needs=needs)
        return done.num_dml_affected_rows or 0

    async def pages(
        self, name: str, values: Values, *, page_rows: int
    ) -> AsyncIterator[Sequence[Row]]:
        """The rows of a long answer, a page at a time.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer, or the answer would cost too much.
        """
        ask = partial(self._ask, name=name, values=values, page_rows=page_rows)
        answer = await self._rest.run(ask, needs=READ_ROWS)
        turn = partial(_next_page, answer.pages)
        while page := await self._rest.run(turn, needs=READ_ROWS):
            yield page

    def _ask(
        self, client: bigquery.Client, name: str, values: Values, *, page_rows: int | None = None
    ) -> RowIterator:
        return client.query_and_wait(
            _SQL[name],
            job_config=QueryJobConfig(
                query_parameters=[_parameter(*value) for value in values.items()],
                maximum_bytes_billed=self._maximum_bytes_billed,
            ),
            page_size=page_rows,
            api_timeout=self._rest.timeout_s,
            wait_timeout=self._rest.timeout_s,
            retry=self._rest.retry,
            job_retry=None,  # type: ignore[arg-type]  # documented, but not annotated (3.47.0)
        )


def _next_page(pages: Iterator[Iterable[Row]], _: bigquery.Client) -> Sequence[Row]:
    return list(next(pages, ()))


def _parameter(name: str, value: Value) -> ScalarQueryParameter | ArrayQueryParameter:
    if value is None or isinstance(value, str):
        return ScalarQueryParameter(name, "STRING", value)
    for kind, type_ in _SCALARS:
        if isinstance(value, kind):
            return ScalarQueryParameter(name, type_, value)
    return ArrayQueryParameter(name, "STRING", value)
