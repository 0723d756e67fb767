"""How late the event loop comes.

Owns one number: the longest of the last looks by which the loop woke this task too late. Whatever
computes without giving way shows here, whoever it is.
"""

from collections import deque
from collections.abc import Callable

import anyio

LOOK_EVERY_S = 0.5
LOOKS_KEPT = 60


class LoopLag:
    """Sleeps for a while, and looks at the clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lags_s: deque[float] = deque([0.0], maxlen=LOOKS_KEPT)

    def read(self) -> float:
        """The longest lag of the last half minute, in seconds."""
        return max(self._lags_s)

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            due_at = self._clock() + LOOK_EVERY_S
            await anyio.sleep(LOOK_EVERY_S)
            self._lags_s.append(max(0.0, self._clock() - due_at))
