"""What can happen between a daemon and a hosted ZeroDB, to be switched on by tests."""

from collections import Counter
from enum import Enum, auto

import anyio
import msgspec


class Fault(Enum):
    """One misfortune; unless it says otherwise, the request itself is carried out first."""

    BLACK_HOLE = auto()
    """Nothing is done and nothing comes back; the connection stays open until faults are cleared."""
    FAILED_BEFORE = auto()
    """500, and nothing was done."""
    FAILED_AFTER = auto()
    """500, although it was done."""
    REPLY_LOST = auto()
    """It was done, and the connection breaks before the answer."""
    TOO_MANY_REQUESTS = auto()
    """429 with `Retry-After`, for all requests until that time has passed; nothing is done."""
    SLOW_BYTES = auto()
    """The answer comes in crumbs, slower than anyone waits."""
    TOO_LARGE = auto()
    """413, and nothing was done."""
    HUGE_ERROR = auto()
    """500 with ten megabytes that repeat the request, and nothing was done."""
    INVALID_JSON = auto()
    """200, and half of an answer."""
    DUPLICATE_ROWS = auto()
    """Every row of the answer comes twice."""
    FOREIGN_ROW = auto()
    """Among the rows of the answer is one of another tenant that nobody asked for."""
    CHANGED_BODY = auto()
    """The rows of the answer have another text than was stored."""


class _Planned(msgspec.Struct):
    fault: Fault
    method: str
    path_end: str
    left: int


class Faults:
    """The misfortunes that the next requests will meet, and how many have."""

    def __init__(self) -> None:
        self.met: Counter[Fault] = Counter()
        self.retry_after_s = 1
        self.early_requests = 0
        """How many came although they had been asked to wait."""
        self._planned: list[_Planned] = []
        self._cleared = anyio.Event()

    def add(self, fault: Fault, *, method: str = "", path_end: str = "", count: int = 1) -> None:
        """Let so many of the next requests meet this fault.

        `method` and the end of the path narrow it to some requests, such as `/rows` to insertions
        and `/query` to queries.
        """
        self._planned.append(_Planned(fault, method, path_end, count))

    def clear(self) -> None:
        """Let requests meet no fault any more, and those end that wait in one."""
        self._planned.clear()
        self._cleared.set()
        self._cleared = anyio.Event()

    async def cleared(self) -> None:
        """Wait until there are none any more."""
        await self._cleared.wait()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, if any."""
        for planned in self._planned:
            fits = planned.method in ("", method) and path.endswith(planned.path_end)
            if planned.left and fits:
                planned.left -= 1
                self.met[planned.fault] += 1
                return planned.fault
        return None
