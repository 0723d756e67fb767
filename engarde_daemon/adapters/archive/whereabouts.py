"""Which files may hold a content, so that a point read opens those alone.

Opening a file costs DuckDB about half a millisecond, and a content may lie in any file of its days.
So the hashes of a file's contents are read once and kept: eight bytes for each content of a file.

Owns the rule that nothing is missed: a file that has its name never changes, so what is kept of it
never lacks a content that is there.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock

import duckdb

from engarde_daemon.adapters.archive.engine import SQL

ENTRIES_MAX = 4_000_000
_FILES_AT_ONCE = 16

_Stamped = tuple[str, int]
_Hashes = Sequence[int]


class Whereabouts:
    """What is known of the files' contents; any thread may ask.

    Files beyond `entries_max` are not known, and count as ones that may hold anything.
    """

    def __init__(self, *, entries_max: int = ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._entries = 0
        self._known: dict[_Stamped, _Hashes] = {}
        self._lock = Lock()

    def narrow(
        self, cursor: duckdb.DuckDBPyConnection, files: Sequence[str], content_ids: Sequence[str]
    ) -> list[str]:
        """Those of the files that may hold one of the contents."""
        # A folder that was put back from a copy has other files of the same names.
        stamped = [(file, Path(file).stat().st_mtime_ns) for file in files]
        self._learn(cursor, [one for one in stamped if one not in self._known])
        cursor.execute(SQL["hashes"], {"content_ids": list(content_ids)})
        ((asked,),) = cursor.fetchall()
        return [one[0] for one in stamped if _may_hold(self._known.get(one), asked)]

    def _learn(self, cursor: duckdb.DuckDBPyConnection, unknown: Sequence[_Stamped]) -> None:
        if unknown and self._is_full():
            self._forget_what_went()
        for start in range(0, len(unknown), _FILES_AT_ONCE):
            if self._is_full():
                return
            some = unknown[start : start + _FILES_AT_ONCE]
            cursor.execute(SQL["contents"], {"files": [file for file, _ in some]})
            held = {file: array("Q", hashes) for file, hashes in cursor.fetchall()}
            self._keep({one: held.get(one[0], array("Q")) for one in some})

    def _keep(self, found: Mapping[_Stamped, _Hashes]) -> None:
        with self._lock:
            self._known |= found
            self._count()

    def _forget_what_went(self) -> None:
        with self._lock:
            self._known = {one: held for one, held in self._known.items() if _is_there(one)}
            self._count()

    def _count(self) -> None:
        self._entries = sum(map(len, self._known.values()))

    def _is_full(self) -> bool:
        return self._entries >= self._entries_max


def _is_there(one: _Stamped) -> bool:
    file, stamp = one
    try:
        return Path(file).stat().st_mtime_ns == stamp
    except FileNotFoundError:
        return False


def _may_hold(held: _Hashes | None, asked: Iterable[int]) -> bool:
    return held is None or any(
        (place := bisect_left(held, one)) < len(held) and held[place] == one for one in asked
    )
