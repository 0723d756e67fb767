"""The daemon's sign of life.

Owns the rule that the watchdog is fed only while every actor is alive: a timer that beats whatever
happens proves nothing. Starting and stopping take as long as they take, since each of their steps
has a deadline of its own; the service manager is asked to wait as long as the loop turns.
"""

import time
from collections.abc import Callable

import anyio
import structlog

from engarde_daemon.core import HealthReport
from engarde_daemon.daemon.systemd import Systemd, more_time, status
from engarde_daemon.domain.failover import ZeroDBState
from engarde_daemon.domain.vitals import Vitals

BEAT_S = 5.0
PATIENCE_S = 15.0
BEATS_PER_WATCHDOG = 2

_LOG = structlog.get_logger("engarde.daemon")


class Pulse:
    """Tells the service manager where the daemon stands, and that it lives."""

    def __init__(self, systemd: Systemd) -> None:
        self._systemd = systemd
        self._health: Callable[[], HealthReport] | None = None
        self._vitals: Callable[[], Vitals] | None = None
        self._place = ""
        self._is_stopping = False
        self._stuck: list[str] = []
        self._said = ""

    def serves(
        self, place: str, *, health: Callable[[], HealthReport], vitals: Callable[[], Vitals]
    ) -> None:
        """Everything runs, and callers are answered at this place."""
        self._place, self._health, self._vitals = place, health, vitals
        self._said = self._standing()
        self._systemd.tell("READY=1", status(self._said))

    def reloads(self) -> None:
        """The settings are being read again."""
        now_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._systemd.tell("RELOADING=1", f"MONOTONIC_USEC={now_us}", status("reloading"))

    def reloaded(self) -> None:
        """The settings were read again, and taken or not."""
        self._systemd.tell("READY=1", status(self._said))

    def stops(self) -> None:
        """The end has begun."""
        self._is_stopping = True
        self._systemd.tell("STOPPING=1", status("finishing what is under way"))

    async def beat(self) -> None:
        """Give a sign of life now and then, as long as somebody listens."""
        watchdog_s = self._systemd.watchdog_s
        every_s = min(BEAT_S, watchdog_s / BEATS_PER_WATCHDOG) if watchdog_s else BEAT_S
        while self._systemd.listens:
            self.beat_once()
            await anyio.sleep(every_s)

    def beat_once(self) -> None:
        """Give one sign of life, unless there is none."""
        if self._health is None or self._is_stopping:
            self._systemd.tell(more_time(PATIENCE_S))
            return
        stuck = self._health().stuck()
        if stuck != self._stuck:
            _LOG.error("the watchdog waits for actors", stuck=stuck)
        self._stuck = stuck
        if not stuck:
            self._systemd.tell("WATCHDOG=1")
        self._show()

    def _show(self) -> None:
        standing = self._standing()
        if standing != self._said:
            self._said = standing
            self._systemd.tell(status(standing))

    def _standing(self) -> str:
        """How the daemon stands, in words; no text from outside goes further than this line."""
        if self._stuck:
            return f"stuck: {', '.join(self._stuck)}"
        vitals = self._vitals() if self._vitals else Vitals()
        if vitals.unready is not None:
            return f"not ready: {vitals.unready}"
        ill = [
            f"{name} is {store.state}"
            for name, store in vitals.stores.items()
            if store.state != ZeroDBState.HEALTHY
        ]
        return "; ".join([f"serving on {self._place}", *ill])
