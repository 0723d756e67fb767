"""Liveness, readiness and metrics.

Liveness looks at the daemon alone and never at what it depends on: a restart mends no database.
Readiness says whether a write could be promised right now.
"""

from collections.abc import Callable
from typing import Any

from litestar import Controller, Response, get

from engarde_daemon.api.giving import Given
from engarde_daemon.api.measures import Measures
from engarde_daemon.core import HealthReport
from engarde_daemon.domain.vitals import Vitals

STUCK_AFTER_S = 60.0


class OperationsController(Controller):
    """Needs no key: nothing here belongs to a tenant."""

    path = "/"
    tags = ("operations",)

    @get("/healthz", operation_id="readLiveness")
    async def healthz(self, health: Given[Callable[[], HealthReport]]) -> Response[dict[str, Any]]:
        """Whether the loop turns and every actor is alive."""
        stuck = [r.path for r in health().walk() if r.heartbeat_age_s > STUCK_AFTER_S]
        return Response(
            {"status": "stuck" if stuck else "alive", "stuck": stuck},
            status_code=503 if stuck else 200,
        )

    @get("/readyz", operation_id="readReadiness")
    async def readyz(self, vitals: Given[Callable[[], Vitals]]) -> Response[dict[str, Any]]:
        """Whether a write can be promised."""
        reason = vitals().unready
        return Response(
            {"status": "ready" if reason is None else "not ready", "reason": reason},
            status_code=200 if reason is None else 503,
            headers={} if reason is None else {"Retry-After": "1"},
        )

    @get("/metrics", operation_id="readMetrics")
    async def metrics(self, measures: Given[Measures]) -> Response[bytes]:
        """Everything Prometheus scrapes."""
        return Response(
            measures.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )
