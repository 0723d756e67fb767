"""Load jobs: free, slow, and through any HTTP proxy.

Owns the identity of a job: it follows from the batch's stream and offset, so that a batch sent
twice is one job, and BigQuery itself says 409. A job that failed keeps its id, so the next attempt
has the next number. Jobs are rationed, because a table takes 1,500 a day, failed ones included:
https://cloud.google.com/bigquery/quotas#load_jobs
"""

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from google.api_core import exceptions
from google.cloud import bigquery

from engarde_daemon.adapters.bigquery.clients import Rest
from engarde_daemon.adapters.bigquery.denials import RUN_JOBS
from engarde_daemon.adapters.bigquery.tables import schema_of
from engarde_daemon.domain.archive_tables import ArchiveTable
from engarde_daemon.domain.errors import ArchiveUnavailable, StreamLost
from engarde_daemon.ports.archive import Appended

ATTEMPTS = 20
RATION_JOBS = 400
RATION_REFILL_S = 90.0
REASON_CHARACTERS = 300

# Reasons that belong to the rows; all others are BigQuery's own trouble.
_ROWS_ARE_WRONG = frozenset({"invalid", "invalidQuery"})


class Ration:
    """How many jobs a table may still be given: full at first, refilled one by one.

    400 at once and one every 90 s are 1,360 a day, which leaves some of the 1,500 to others.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = float(RATION_JOBS)
        self._looked_at = clock()

    def take(self) -> None:
        """Use one.

        Raises:
            Unavailable: None is left now.
        """
        now = self._clock()
        refilled = self._left + (now - self._looked_at) / RATION_REFILL_S
        self._left, self._looked_at = min(float(RATION_JOBS), refilled), now
        if self._left < 1:
            raise ArchiveUnavailable(
                "The day's load jobs of a BigQuery table are used up.",
                after_s=(1 - self._left) * RATION_REFILL_S,
            )
        self._left -= 1

    def give_back(self) -> None:
        """Take one back that was not used."""
        self._left += 1


class LoadJobs:
    """Stores batches by load jobs."""

    def __init__(self, rest: Rest, *, clock: Callable[[], float]) -> None:
        self._rest = rest
        self._rations = {table: Ration(clock) for table in ArchiveTable}

    async def load(self, table: ArchiveTable, job_name: str, lines: Sequence[bytes]) -> Appended:
        """Store the rows as one job of this name, unless such a job has stored them.

        When BigQuery finds rows wrong it does not say which; then each half is tried by itself, so
        the good ones may be stored before the bad ones are known.

        Raises:
            Denied: The permission to run jobs is missing.
            StreamLost: Jobs of this name have failed too often.
            Unavailable: BigQuery does not answer, or not yet.
        """
        job = await self._finished(table, job_name, lines)
        if job.error_result is None:
            return Appended()
        if job.error_result.get("reason") not in _ROWS_ARE_WRONG:
            raise ArchiveUnavailable(
                "A load job of BigQuery failed; it is tried again.", after_s=10.0
            )
        if len(lines) == 1:
            return Appended({0: str(job.error_result.get("message"))[:REASON_CHARACTERS]})
        return await self._by_halves(table, job_name, lines)

    async def _by_halves(
        self, table: ArchiveTable, job_name: str, lines: Sequence[bytes]
    ) -> Appended:
        middle = len(lines) // 2
        first = await self.load(table, f"{job_name}-l", lines[:middle])
        second = await self.load(table, f"{job_name}-r", lines[middle:])
        later = {middle + index: reason for index, reason in second.refused.items()}
        return Appended({**first.refused, **later})

    async def _finished(
        self, table: ArchiveTable, job_name: str, lines: Sequence[bytes]
    ) -> bigquery.LoadJob:
        """The job of this name that is over: the first that did not fail for BigQuery's own trouble."""
        for attempt in range(ATTEMPTS):
            job_id = f"{job_name}-a{attempt}"
            try:
                self._rations[table].take()
                start = partial(_started, rest=self._rest, table=table, job_id=job_id, lines=lines)
                return await self._rest.run(start, needs=RUN_JOBS)
            except exceptions.Conflict:
                self._rations[table].give_back()
                find = partial(_found, rest=self._rest, job_id=job_id)
                job = await self._rest.run(find, needs=RUN_JOBS)
            if not _failed_by_itself(job):
                return job
        raise StreamLost(f"{ATTEMPTS} load jobs named {job_name} have failed.")


def _started(
    client: bigquery.Client, rest: Rest, table: ArchiveTable, *, job_id: str, lines: Sequence[bytes]
) -> bigquery.LoadJob:
    document = b"".join(lines)
    job = client.load_table_from_file(
        io.BytesIO(document),
        rest.place.table_id(table),
        size=len(document),
        job_id=job_id,
        location=rest.place.location,
        num_retries=0,  # the client's own retries know no deadline (3.47.0)
        job_config=_configuration(table),
        timeout=rest.timeout_s,
    )
    return _waited_for(job, rest)


def _found(client: bigquery.Client, rest: Rest, job_id: str) -> bigquery.LoadJob:
    job = client.get_job(
        job_id, location=rest.place.location, retry=rest.retry, timeout=rest.timeout_s
    )
    return _waited_for(cast("bigquery.LoadJob", job), rest)


def _waited_for(job: bigquery.LoadJob, rest: Rest) -> bigquery.LoadJob:
    try:
        job.result(retry=rest.retry, timeout=rest.timeout_s)
    except exceptions.GoogleAPICallError:
        if job.state != "DONE":
            raise
    return job


def _configuration(table: ArchiveTable) -> bigquery.LoadJobConfig:
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        schema=schema_of(table),
    )


def _failed_by_itself(job: bigquery.LoadJob) -> bool:
    error = job.error_result
    return error is not None and error.get("reason") not in _ROWS_ARE_WRONG
