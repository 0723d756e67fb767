"""What all connections of one load have seen so far, and when the load is over.

The tally owns the window: answers before it opens are warm-up, answers after it closes are
waited for but not counted.
"""

import asyncio
import resource
from collections import Counter
from typing import Any

import msgspec

from bench.load.order import LoadResult


class _Created(msgspec.Struct):
    id: str


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Tally:
    """The counters of one load, and the event that its last connection has closed."""

    def __init__(self, connections: int, *, collects_ids: bool) -> None:
        self.collects_ids = collects_ids
        self.is_full = False
        self.failure: BaseException | None = None
        self.closed = asyncio.Event()
        self._open = connections
        self._is_open = False
        self._latencies_ns: list[int] = []
        self._errors: Counter[str] = Counter()
        self._answers = 0
        self._ids: list[str] = []
        self._started_cpu_s = self._cpu_s = 0.0

    def open_window(self) -> None:
        """Begin to count: the warm-up is over."""
        self._is_open = True
        self._started_cpu_s = _cpu_s()

    def close_window(self) -> None:
        """Stop counting, and let each connection end with its answer in flight."""
        self._is_open = False
        self.is_full = True
        self._cpu_s = _cpu_s() - self._started_cpu_s

    def answered(self, status: int, latency_ns: int, body: list[bytes]) -> None:
        """Count one answer."""
        self._answers += 1
        if not self._is_open:
            return
        if 200 <= status < 300:
            self._latencies_ns.append(latency_ns)
            if body:
                self._ids.append(msgspec.json.decode(b"".join(body), type=_Created).id)
        else:
            self._errors[str(status)] += 1

    def closed_one(self, cause: Exception | None) -> None:
        """Count a connection out, as an error when it did not end by our own will."""
        if cause is not None:
            self._errors[type(cause).__name__] += 1
        self._open -= 1
        if self._open == 0:
            self.closed.set()

    def failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the load at the first exception in a callback: no figure may hide one."""
        self.failure = self.failure or context.get("exception") or RuntimeError(context["message"])
        self.is_full = True
        self.closed.set()

    def result(self, seconds: float) -> LoadResult:
        """Sum up a window of `seconds`."""
        latencies = sorted(self._latencies_ns)
        count = len(latencies)
        return LoadResult(
            requests=count,
            seconds=seconds,
            per_second=count / seconds,
            p50_ms=_quantile_ms(latencies, 0.50),
            p99_ms=_quantile_ms(latencies, 0.99),
            max_ms=_quantile_ms(latencies, 1.0),
            errors=dict(self._errors),
            requests_with_warm_up=self._answers,
            cpu_us_per_request=self._cpu_s / max(count, 1) * 1e6,
            cpu_share=self._cpu_s / seconds,
            ids=self._ids,
        )


def _quantile_ms(latencies_ns: list[int], quantile: float) -> float:
    if not latencies_ns:
        return 0.0
    return latencies_ns[min(int(len(latencies_ns) * quantile), len(latencies_ns) - 1)] / 1e6
