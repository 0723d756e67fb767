"""Dataset, tables and view: made where they are missing, and looked at by `engarde doctor`.

Owns the order in which an administrator learns what is missing: first what cannot be seen, then
what cannot be changed. Several daemons may start at once; whoever comes second finds the work done.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from google.api_core import exceptions
from google.cloud import bigquery

from engarde_daemon.adapters.bigquery import denials
from engarde_daemon.adapters.bigquery.clients import Rest
from engarde_daemon.adapters.bigquery.queries import Queries
from engarde_daemon.adapters.bigquery.tables import current_view, definition_of, missing_columns
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.errors import ArchiveUnavailable

ATTEMPTS = 3

_Change: TypeAlias = Callable[[bigquery.Table], list[str]]
"""Changes a table that was found to what it should be, and names the properties it changed."""


class Schema:
    """The objects of one place."""

    def __init__(self, rest: Rest, queries: Queries) -> None:
        self._rest = rest
        self._queries = queries
        self._place = rest.place

    async def ensure(self) -> None:
        """Make what is missing, and prove that rows can be read and written.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer, keeps the dataset elsewhere, or a column has
                another type than the daemon writes.
        """
        await self._ensure_dataset()
        for table in ArchiveTable:
            await self._ensure(definition_of(table, self._place), partial(_extended, table))
        view = current_view(self._place)
        await self._ensure(view, partial(_redefined, view.view_query))
        await self.prove_permissions()

    async def prove_permissions(self) -> None:
        """Ask BigQuery itself what the daemon may do; changes nothing.

        Raises:
            Denied: A permission is missing.
            Unavailable: BigQuery does not answer, or the tables are not made yet.
        """
        missing = set[str]()
        for table in ArchiveTable:
            missing |= await self._rest.run(partial(self._lacking, table), needs=denials.SEE_TABLES)
        if missing:
            raise denials.denied(missing, project=self._place.project, dataset=self._place.dataset)
        await self._queries.rows("can_run_jobs", {}, needs=denials.RUN_JOBS)

    async def _ensure_dataset(self) -> None:
        found = await self._rest.run(self._found_dataset, needs=denials.SEE_DATASET)
        if found is None:
            await self._rest.run(self._make_dataset, needs=denials.MAKE_DATASET)
        elif found.location.upper() != self._place.location.upper():
            raise ArchiveUnavailable(
                f"The BigQuery dataset {self._place.dataset_id} lies in {found.location}: "
                "set [bigquery] location to that."
            )

    async def _ensure(self, wanted: bigquery.Table, change: _Change) -> None:
        """Make a table or view, or mend it, which others may be doing at this moment."""
        for _ in range(ATTEMPTS):
            with suppress(exceptions.Conflict, exceptions.PreconditionFailed):
                found = await self._rest.run(partial(self._found, wanted), needs=denials.SEE_TABLES)
                if found is None:
                    make = partial(self._make, wanted)
                    await self._rest.run(make, needs=denials.MAKE_TABLES)
                elif properties := change(found):
                    mend = partial(self._mend, found, properties)
                    await self._rest.run(mend, needs=denials.CHANGE_TABLES)
                return
        raise ArchiveUnavailable(f"Others keep changing BigQuery's {wanted.table_id}; try again.")

    def _found_dataset(self, client: bigquery.Client) -> bigquery.Dataset | None:
        with suppress(exceptions.NotFound):
            return client.get_dataset(
                self._place.dataset_id, retry=self._rest.retry, timeout=self._rest.timeout_s
            )
        return None

    def _make_dataset(self, client: bigquery.Client) -> None:
        wanted = bigquery.Dataset(self._place.dataset_id)
        wanted.location = self._place.location
        client.create_dataset(
            wanted, exists_ok=True, retry=self._rest.retry, timeout=self._rest.timeout_s
        )

    def _found(self, wanted: bigquery.Table, client: bigquery.Client) -> bigquery.Table | None:
        with suppress(exceptions.NotFound):
            return client.get_table(
                wanted.reference, retry=self._rest.retry, timeout=self._rest.timeout_s
            )
        return None

    def _make(self, wanted: bigquery.Table, client: bigquery.Client) -> None:
        client.create_table(wanted, retry=self._rest.retry, timeout=self._rest.timeout_s)

    def _mend(
        self, changed: bigquery.Table, properties: list[str], client: bigquery.Client
    ) -> None:
        client.update_table(
            changed, properties, retry=self._rest.retry, timeout=self._rest.timeout_s
        )

    def _lacking(self, table: ArchiveTable, client: bigquery.Client) -> set[str]:
        answer = client.test_iam_permissions(
            self._place.table_id(table),
            denials.TABLE_PERMISSIONS,
            retry=self._rest.retry,
            timeout=self._rest.timeout_s,
        )
        return set(denials.TABLE_PERMISSIONS) - set(answer.get("permissions", ()))


def _extended(table: ArchiveTable, found: bigquery.Table) -> list[str]:
    missing = missing_columns(table, found.schema)
    if not missing:
        return []
    found.schema = [*found.schema, *missing]
    return ["schema"]


def _redefined(query: str, found: bigquery.Table) -> list[str]:
    if found.view_query == query:
        return []
    found.view_query = query
    return ["view_query"]
