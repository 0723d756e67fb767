"""The newest lines of this daemon's log, kept in memory for those who look from elsewhere.

Owns the bound: so many lines, each cut to so much, whatever is logged. Lines come from any thread.
What is kept was redacted before, so it says no more than the log itself.
"""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

from engarde_daemon.protocol import LogLevel, LogPage, LogRecord

LINES_MAX = 2_000
FIELDS_MAX = 20
TEXT_CHARACTERS_MAX = 500
STORY_CHARACTERS_MAX = 4_000
_STORY = "exception"
_KNOWN = {level.value: level for level in LogLevel}
_GRAVITY = {level: number for number, level in enumerate(LogLevel)}


class RecentLog:
    """A window of the log; `run` is part of every cursor and another in each life."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._lines: deque[LogRecord] = deque(maxlen=LINES_MAX)
        self._number = 0
        self._lock = threading.Lock()

    def keep(self, *, level: str, at: datetime, event: str, fields: Mapping[str, str]) -> None:
        """Add a line."""
        said = {name: _cut(name, text) for name, text in islice(fields.items(), FIELDS_MAX)}
        with self._lock:
            self._number += 1
            line = LogRecord(
                number=self._number,
                at=at,
                level=_KNOWN.get(level, LogLevel.ERROR),
                event=event[:TEXT_CHARACTERS_MAX],
                fields=said,
            )
            self._lines.append(line)

    def newest(self, most: int, *, least: LogLevel, word: str) -> LogPage:
        """The newest lines that pass, and a cursor after all there are."""
        lines, number = self._seen()
        found = [line for line in lines if _passes(line, least, word)]
        return LogPage(data=found[-most:], cursor=self._cursor(number))

    def after(self, cursor: str, most: int, *, least: LogLevel, word: str) -> LogPage:
        """The first lines after a cursor that pass; of another life's, from the first that is kept."""
        lines, number = self._seen()
        place = self._place(cursor, number)
        newer = [line for line in lines if line.number > (place or 0)]
        found = list(islice((line for line in newer if _passes(line, least, word)), most))
        missed = None if place is None else newer[0].number - place - 1 if newer else 0
        # Only where lines were left for the next page is there anything to go back for.
        onward = found[-1].number if len(found) == most else number
        return LogPage(data=found, cursor=self._cursor(onward), missed=missed)

    def _seen(self) -> tuple[Sequence[LogRecord], int]:
        with self._lock:
            return list(self._lines), self._number

    def _place(self, cursor: str, newest: int) -> int | None:
        run, _, number = cursor.rpartition(".")
        if run != self._run or not number.isdecimal() or int(number) > newest:
            return None
        return int(number)

    def _cursor(self, number: int) -> str:
        return f"{self._run}.{number}"


def _cut(name: str, text: str) -> str:
    # The end of a traceback says what happened.
    return text[-STORY_CHARACTERS_MAX:] if name == _STORY else text[:TEXT_CHARACTERS_MAX]


def _passes(line: LogRecord, least: LogLevel, word: str) -> bool:
    if _GRAVITY[line.level] < _GRAVITY[least]:
        return False
    return not word or any(word in text.casefold() for text in (line.event, *line.fields.values()))
