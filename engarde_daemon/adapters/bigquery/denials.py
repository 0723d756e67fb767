"""Permissions: what the daemon needs, and which role has it.

Owns the sentence that an administrator can act on without knowing BigQuery's permissions by heart.
The roles are those with the least beyond it:
https://cloud.google.com/bigquery/docs/access-control
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from engarde_daemon.domain.errors import Denied

RUN_JOBS = "bigquery.jobs.create"
READ_ROWS = "bigquery.tables.getData"
WRITE_ROWS = "bigquery.tables.updateData"
SEE_DATASET = "bigquery.datasets.get"
SEE_TABLES = "bigquery.tables.get"
MAKE_TABLES = "bigquery.tables.create"
CHANGE_TABLES = "bigquery.tables.update"
MAKE_DATASET = "bigquery.datasets.create"

TABLE_PERMISSIONS = (SEE_TABLES, READ_ROWS, WRITE_ROWS, CHANGE_TABLES)

_JOB_USER = "roles/bigquery.jobUser on the project"
_DATA_EDITOR = "roles/bigquery.dataEditor on the dataset"
ROLES: Mapping[str, str] = MappingProxyType(
    {
        RUN_JOBS: _JOB_USER,
        MAKE_DATASET: "roles/bigquery.dataEditor on the project (or make the dataset by hand)",
        SEE_DATASET: _DATA_EDITOR,
        MAKE_TABLES: _DATA_EDITOR,
        SEE_TABLES: _DATA_EDITOR,
        CHANGE_TABLES: _DATA_EDITOR,
        READ_ROWS: _DATA_EDITOR,
        WRITE_ROWS: _DATA_EDITOR,
    }
)

_BY_NAME = re.compile(r"\bbigquery\.[a-z]+\.[a-zA-Z]+\b")
# The Storage Write API names permissions so: TABLES_UPDATE_DATA.
_IN_CAPITALS = re.compile(r"\b(?P<what>TABLES|DATASETS|JOBS)_(?P<verb>[A-Z]+(?:_[A-Z]+)*)\b")


def denied(permissions: Iterable[str], *, project: str, dataset: str) -> Denied:
    """Say what is missing, and which role to give whom."""
    missing = sorted(set(permissions))
    roles = sorted({ROLES.get(permission, _DATA_EDITOR) for permission in missing})
    return Denied(
        f"BigQuery denies {' and '.join(missing)} on {project}.{dataset}: give the daemon's "
        f"service account {' and '.join(roles)}. `engarde doctor` then shows what is still missing."
    )


def permission_in(message: str, *, otherwise: str) -> str:
    """The permission that a refusal names, or the one that was needed, where it names none."""
    if by_name := _BY_NAME.search(message):
        return by_name[0]
    if in_capitals := _IN_CAPITALS.search(message):
        first, *more = in_capitals["verb"].lower().split("_")
        verb = first + "".join(word.capitalize() for word in more)
        return f"bigquery.{in_capitals['what'].lower()}.{verb}"
    return otherwise
