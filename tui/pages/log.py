"""Log: the newest lines of the log of the daemon that it is attached to, the newest on top.

Owns the asking: the daemon is asked only while the page is open, from where the last answer ended,
and a gap is shown as one. Of a daemon that logs faster than it is read it takes so much at a time.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from textual import on, work

from engarde_daemon.protocol import LogLevel, LogPage, LogRecord
from tui.dialogs.line import Line
from tui.feed import Feed, Refused
from tui.pages.chronicle import Chronicle
from tui.sight import Sight
from tui.tone import Cell, Tone, signed
from tui.widgets.columns import Column
from tui.widgets.table import Table
from tui.words import clean, clock, plural

LINES_MAX = 2000
LOOK_EVERY_S = 1.0
PAGES_PER_LOOK = 5
_TONES = {
    LogLevel.DEBUG: Tone.QUIET,
    LogLevel.INFO: Tone.QUIET,
    LogLevel.WARNING: Tone.WARNING,
    LogLevel.ERROR: Tone.FAULT,
    LogLevel.CRITICAL: Tone.FAULT,
}
_ERRORS = frozenset({LogLevel.ERROR, LogLevel.CRITICAL})


def _fields(line: LogRecord) -> str:
    return " ".join(f"{name}={text}" for name, text in line.fields.items())


_COLUMNS: list[Column[LogRecord]] = [
    Column(title="", cell=lambda r: signed(_TONES[r.level]), width=1),
    Column(title="AT", cell=lambda r: Cell(clock(r.at), Tone.QUIET), width=8),
    Column(title="LEVEL", cell=lambda r: Cell(r.level, _TONES[r.level]), width=8, rank=2),
    Column(title="EVENT", cell=lambda r: Cell(r.event), width=30),
    Column(title="WITH", cell=lambda r: Cell(_fields(r), Tone.QUIET), width=24, grows=True),
]


class Log(Chronicle[LogRecord]):
    """What the daemon logged."""

    NAME = "log"
    HELP = (
        "The log of the daemon that the dashboard is attached to, live, with secrets blotted out. "
        f"It begins with what the daemon still remembers, and keeps the newest {LINES_MAX:,} "
        "lines. Requests are in the log itself only. Enter shows a line in full, with its traceback."
    )
    UNIT = "line"
    EMPTY = "Nothing was logged."
    LEVELS = {  # noqa: RUF012 - never changed
        "all of them": frozenset(LogLevel),
        "warnings and worse": frozenset({LogLevel.WARNING, *_ERRORS}),
        "errors only": _ERRORS,
    }
    COLUMNS = _COLUMNS
    AUTO_FOCUS = "#log"

    def __init__(self, sight: Sight, feed: Feed) -> None:
        super().__init__(sight, feed)
        self._lines: deque[LogRecord] = deque(maxlen=LINES_MAX)
        self._cursor = ""

    def on_mount(self) -> None:
        """Look for new lines again and again."""
        self.set_interval(LOOK_EVERY_S, self._look_again)

    def on_screen_resume(self) -> None:
        """Look at once, because time has passed."""
        super().on_screen_resume()
        self._fetch()

    def entries(self) -> Iterable[LogRecord]:
        """What the daemon has told."""
        return self._lines

    def key(self, entry: LogRecord) -> str:
        """Its number, and its moment, because each life of a daemon counts anew."""
        return f"{entry.at.timestamp()} {entry.number}"

    def level(self, entry: LogRecord) -> str:
        """Its level."""
        return entry.level

    def texts(self, entry: LogRecord) -> Iterable[str]:
        """Everything it says."""
        return entry.event, *entry.fields.values()

    def detail(self, entry: LogRecord) -> tuple[str, str]:
        """Its beginning; a dialog shows the rest."""
        when = f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S} · {entry.level} · Enter shows all of it"
        return clean(entry.event), f"{clean(_fields(entry))}\n{when}"

    @on(Table.Chosen, "#log")
    def _open(self, message: Table.Chosen) -> None:
        self.app.push_screen(Line(message.row))

    def _look_again(self) -> None:
        if self.may_look_again("log"):
            self._fetch()

    @work(exclusive=True, group="log", exit_on_error=False)
    async def _fetch(self) -> None:
        try:
            for _ in range(PAGES_PER_LOOK):
                if not self._take(await self.feed.log(self._cursor)):
                    break
        except Refused as refused:
            if not self._lines:
                self.query_one(Table).show((), empty=str(refused))

    def _take(self, page: LogPage) -> bool:
        self._cursor = page.cursor
        if page.missed != 0 and self._lines:
            self._lines.append(_gap(page.missed, self._lines[-1].at))
        self._lines.extend(page.data)
        if page.data:
            self.show()
        return bool(page.data)


def _gap(missed: int | None, at: datetime) -> LogRecord:
    words = "The daemon was started again" if missed is None else f"{plural(missed, 'line')} missed"
    return LogRecord(number=0, at=at, level=LogLevel.WARNING, event=words)
