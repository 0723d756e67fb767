"""Liveness, readiness and metrics.

Liveness looks at the daemon alone and never at what it depends on: a restart mends no database.
Readiness says whether a write could be promised right now.
"""

from collections.abc import Callable
from typing import Literal

import msgspec
from litestar import Controller, Response, get

from engarde_daemon.api.contract import RETRY_AFTER, Answer, promise
from engarde_daemon.api.giving import Given
from engarde_daemon.api.measures import Measures
from engarde_daemon.core import HealthReport
from engarde_daemon.domain.vitals import Vitals

EXPOSITION_TYPE = "text/plain; version=0.0.4"  # Litestar adds the charset


class Liveness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the daemon is alive, and which actors are stuck."""

    status: Literal["alive", "stuck"]
    stuck: list[str]


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a write can be promised, and if not, why."""

    status: Literal["ready", "not ready"]
    reason: str | None


class OperationsController(Controller):
    """Needs no key: nothing here belongs to a tenant."""

    path = "/"
    tags = ("operations",)

    @get(
        "/healthz",
        operation_id="readLiveness",
        opt=promise(
            answers={
                200: Answer(says="Alive.", shape=Liveness),
                503: Answer(says="Actors are stuck.", shape=Liveness),
            }
        ),
    )
    async def healthz(self, health: Given[Callable[[], HealthReport]]) -> Response[Liveness]:
        """Whether the loop turns and every actor is alive."""
        stuck = health().stuck()
        return Response(
            Liveness(status="stuck" if stuck else "alive", stuck=stuck),
            status_code=503 if stuck else 200,
        )

    @get(
        "/readyz",
        operation_id="readReadiness",
        opt=promise(
            answers={
                200: Answer(says="Ready.", shape=Readiness),
                503: Answer(says="Not ready.", shape=Readiness, headers=(RETRY_AFTER,)),
            }
        ),
    )
    async def readyz(self, vitals: Given[Callable[[], Vitals]]) -> Response[Readiness]:
        """Whether a write can be promised."""
        reason = vitals().unready
        return Response(
            Readiness(status="ready" if reason is None else "not ready", reason=reason),
            status_code=200 if reason is None else 503,
            headers={} if reason is None else {"Retry-After": "1"},
        )

    @get(
        "/metrics",
        operation_id="readMetrics",
        opt=promise(
            answers={200: Answer(says="All samples.", shape=str, media_type=EXPOSITION_TYPE)}
        ),
    )
    async def metrics(self, measures: Given[Measures]) -> Response[bytes]:
        """Everything Prometheus scrapes."""
        return Response(measures.exposition(), media_type=EXPOSITION_TYPE)
