"""Who has shown a key, and for how long that is remembered.

Owns the bounds of that memory: so many visitors, half an hour after the last of their windows was
closed, half a day in all. A browser is given a random token and never its key back; keys are held
in memory only, and leave it in no text.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

VISITORS_MAX = 32
IDLE_LIMIT_S = 30 * 60.0
STAY_LIMIT_S = 12 * 3600.0


class Visitor:
    """Somebody with a key, and the windows that are open with it."""

    def __init__(self, key: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.key = key
        self.seen = clock()
        self.until = self.seen + STAY_LIMIT_S
        self._windows: set[anyio.CancelScope] = set()

    def is_gone(self, now: float) -> bool:
        """Whether the key must be shown again."""
        return now >= self.until or (not self._windows and now >= self.seen + IDLE_LIMIT_S)

    @contextmanager
    def window(self) -> Iterator[anyio.CancelScope]:
        """A window, which is closed when its visitor goes."""
        with anyio.CancelScope() as scope:
            self._windows.add(scope)
            try:
                yield scope
            finally:
                self._windows.discard(scope)
                self.seen = self._clock()

    def close(self) -> None:
        """Close all windows."""
        for window in self._windows:
            window.cancel()


class Visitors:
    """All who have shown a key."""

    def __init__(self, *, clock: Callable[[], float], draw_token: Callable[[], str]) -> None:
        self._clock = clock
        self._draw_token = draw_token
        self._known: dict[str, Visitor] = {}

    def admit(self, key: str) -> str | None:
        """Remember a visitor, and give the token to know them by; None where there is no room."""
        now = self._clock()
        for token in [token for token, one in self._known.items() if one.is_gone(now)]:
            self.dismiss(token)
        if len(self._known) >= VISITORS_MAX:
            return None
        token = self._draw_token()
        self._known[token] = Visitor(key, self._clock)
        return token

    def recognise(self, token: str) -> Visitor | None:
        """Whose token this is, if they may still be here."""
        visitor = self._known.get(token)
        if visitor is None:
            return None
        if visitor.is_gone(self._clock()):
            self.dismiss(token)
            return None
        visitor.seen = self._clock()
        return visitor

    def dismiss(self, token: str) -> None:
        """Forget a visitor, and close what they have open."""
        if visitor := self._known.pop(token, None):
            visitor.close()
