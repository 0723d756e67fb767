"""Every SQL statement of the daemon, by area and name.

Owns the one way from a `.sql` file to a statement: a file holds blocks that start with
`-- name: some_name`; what follows, up to the next block, is the statement with native `$1`
parameters. No SQL is put together at run time.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

_NAME = re.compile(r"^-- name: *([a-z][a-z0-9_]*) *$", re.MULTILINE)


@cache
def statements(area: str) -> Mapping[str, str]:
    """The named statements of `sql/queries/<area>.sql`.

    Raises:
        ValueError: A name stands twice in the file.
    """
    parts = _NAME.split(text(f"queries/{area}.sql"))[1:]
    names, bodies = parts[0::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"sql/queries/{area}.sql names a statement twice")
    return MappingProxyType({n: b.strip() for n, b in zip(names, bodies, strict=True)})


def text(path: str) -> str:
    """The text of one file below `sql/`."""
    return (resources.files(__name__) / path).read_text(encoding="utf-8")


def listing(folder: str) -> list[str]:
    """The names of the `.sql` files of a folder below `sql/`, in order."""
    entries = (resources.files(__name__) / folder).iterdir()
    return sorted(entry.name for entry in entries if entry.name.endswith(".sql"))
