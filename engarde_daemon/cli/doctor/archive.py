"""What can be checked of the archive without changing it."""

import os
from pathlib import Path

from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.cli.doctor.host import ground_of
from engarde_daemon.config import Settings
from engarde_daemon.daemon.archives import bigquery_of
from engarde_daemon.domain.errors import EngardeError

_NAME = "archive"


async def check_archive(settings: Settings) -> Finding:
    """Whether BigQuery can be reached and lets the daemon do what it has to."""
    given = settings.bigquery
    if given.mode != "bigquery":
        return _check_folder(settings.storage.archive_folder)
    seen = f"BigQuery {given.project}.{given.dataset} in {given.location}"
    try:
        async with bigquery_of(given) as archive:
            await archive.examine()
    except EngardeError as error:
        return Finding(_NAME, State.FAULT, seen, error.detail)
    return Finding(_NAME, State.OK, f"{seen}: it can be read and written")


def _check_folder(folder: Path) -> Finding:
    ground = ground_of(folder)
    if not os.access(ground, os.R_OK | os.W_OK | os.X_OK):
        advice = "Let the daemon's user read and write there; until then versions wait."
        return Finding(_NAME, State.FAULT, f"{ground} cannot be read and written", advice)
    return Finding(_NAME, State.OK, f"embedded, in {folder}")
