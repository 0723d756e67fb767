"""The archive in BigQuery as the settings describe it; importing this imports Google's libraries."""

from contextlib import AbstractAsyncContextManager

from engarde_daemon.adapters.bigquery.archive import BigQueryArchive, Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.config.stores import BigQuery


def bigquery_archive(given: BigQuery) -> AbstractAsyncContextManager[BigQueryArchive]:
    """The archive, to be opened by entering it."""
    place = Place(
        project=given.project,
        dataset=given.dataset,
        location=given.location,
        endpoint=given.endpoint,
        write_endpoint=given.write_endpoint,
        anonymous=given.anonymous,
    )
    bounds = Bounds(timeout_s=given.timeout_s, maximum_bytes_billed=given.maximum_bytes_billed)
    return opened(place, bounds=bounds, pace=WritePace(detour_after_s=given.load_jobs_after_s))
