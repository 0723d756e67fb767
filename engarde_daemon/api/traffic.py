"""How much callers do, in three numbers that only grow."""

from actors.observer.rates import Counts

_SHOWING = frozenset({"GET", "HEAD"})


class Traffic:
    """Counts answers to the daemon's users; what operators and probes ask is left out."""

    def __init__(self) -> None:
        self._reads = self._writes = self._errors = 0

    def note(self, method: str, route: str, status: int) -> None:
        """Count one answer."""
        if not route.startswith("/api/") or route.startswith("/api/admin"):
            return
        if status >= 500:
            self._errors += 1
        elif status < 400 and method in _SHOWING:
            self._reads += 1
        elif status < 400:
            self._writes += 1

    def reads(self) -> int:
        """How much was shown since the start."""
        return self._reads

    def counts(self) -> Counts:
        """How often each happened since the start."""
        return Counts(reads=self._reads, writes=self._writes, errors=self._errors)
