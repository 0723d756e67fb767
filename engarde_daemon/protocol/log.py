"""The newest lines of a daemon's log, for whoever looks at it from elsewhere.

Lines are numbered in one life of the daemon; a cursor names the life and the number, so that who
comes back with the last one gets what was logged since. Secrets were blotted out before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec


class LogLevel(StrEnum):
    """How important a line is, the least important first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class LogRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log; long texts are cut, and the file has them in full."""

    number: int
    at: datetime
    level: LogLevel
    event: str
    fields: Mapping[str, str] = {}


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, the oldest first; `cursor` goes on after them.

    `missed` is how many lines after the given cursor are gone; None where nobody knows, because
    the daemon was started again meanwhile.
    """

    data: Sequence[LogRecord]
    cursor: str
    missed: int | None = 0
