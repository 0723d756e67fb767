"""How much memory a daemon takes while something else is measured."""

import threading
from typing import Self

from bench.server import Server

LOOK_S = 0.05


class PeakMemory:
    """Looks at a daemon's resident memory often, from a thread of its own, while the block runs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.before_mb = server.memory().own_mb
        self.peak_mb = self.before_mb

    @property
    def growth_mb(self) -> float:
        """How much more it took at most than at the beginning."""
        return self.peak_mb - self.before_mb

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_S):
            self.peak_mb = max(self.peak_mb, self._server.memory().own_mb)
