"""The way to a store outside, as those see it who watch over it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from engarde_daemon.domain.breaker import Breaker


class Door(Protocol):
    """One store's breaker, and a way to look behind it."""

    @property
    def name(self) -> str:
        """Which store it is."""

    @property
    def breaker(self) -> Breaker:
        """Its breaker, which everybody's calls move."""

    @property
    def failure(self) -> str:
        """What the last call met that failed."""

    async def probe(self, look: Callable[[], Awaitable[object]], *, timeout_s: float) -> bool:
        """Look whether the store answers; true where it did, or where it is no time to look."""
