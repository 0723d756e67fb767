"""The routes of failover and recovery: for operators of the daemon, and for nobody else."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath
from msgspec import json

from actors.health.messages import FailBack, FailOver, HealthMessage
from actors.recovery.messages import CancelJob, FindJob, ListJobs, OrderJob, RecoveryMessage
from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call, idempotency_of
from engarde_daemon.api.contract import IDEMPOTENCY_KEY, LOCATION, Answer, promise
from engarde_daemon.api.decoding import decode_json
from engarde_daemon.api.giving import Given
from engarde_daemon.api.recovery.schemas import (
    MigrationOrder,
    RecoveryJob,
    RecoveryView,
    ScopeQuery,
    job_view,
)
from engarde_daemon.api.trail import AUDITED
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Conflict, NotFound
from engarde_daemon.domain.recovery import Job, JobKind, Wish
from engarde_daemon.domain.vitals import StoreVitals, Vitals

Asked = Request[Principal, Any, Any]


def _ordering(body: type[msgspec.Struct]) -> dict[str, Any]:
    job = Answer(says="The job, which goes on by itself.", shape=RecoveryJob, headers=(LOCATION,))
    return promise(body=body, headers=(IDEMPOTENCY_KEY,), answers={202: job}, errors=(Conflict,))


_PROMISED = uuid.uuid5(uuid.NAMESPACE_URL, "urn:engarde:recovery_jobs")


class RecoveryDesk:
    """Serves the routes of recovery."""

    def __init__(
        self,
        *,
        recovery: Address[RecoveryMessage],
        health: Address[HealthMessage],
        vitals: Callable[[], Vitals],
        now: Callable[[], datetime],
        timeout_s: float,
    ) -> None:
        self._recovery = recovery
        self._health = health
        self._vitals = vitals
        self._now = now
        self._timeout_s = timeout_s

    async def overview(self) -> RecoveryView:
        """How the stores stand, and the newest jobs."""
        jobs = await self._recovery.ask(ListJobs(), timeout_s=self._timeout_s)
        return RecoveryView(stores=self._vitals().stores, jobs=[self._view(job) for job in jobs])

    async def job(self, job_id: str) -> RecoveryJob:
        """How far a job has come."""
        return self._view(await self._recovery.ask(FindJob(job_id), timeout_s=self._timeout_s))

    async def cancel(self, job_id: str) -> RecoveryJob:
        """Let a job end."""
        return self._view(await self._recovery.ask(CancelJob(job_id), timeout_s=self._timeout_s))

    async def order(self, call: Call, kind: JobKind, wish: Wish) -> Response[bytes]:
        """Begin a job, or find the one that the same request began."""
        promise = idempotency_of(call, "")
        order = OrderJob(
            kind=kind,
            wish=wish,
            ordered_by=call.principal.user_id,
            promised_id=_promised(promise.principal_id, promise.key) if promise else None,
        )
        job = await self._recovery.ask(order, timeout_s=self._timeout_s)
        return Response(
            json.encode(self._view(job)),
            status_code=202,
            media_type="application/json",
            headers={"Location": f"/api/admin/recovery/{job.id}"},
        )

    async def fail_over(self, call: Call) -> StoreVitals:
        """Keep every daemon from asking ZeroDB."""
        order = FailOver(call.principal.user_id)
        return await self._health.ask(order, timeout_s=self._timeout_s)

    async def fail_back(self, call: Call) -> StoreVitals:
        """Let ZeroDB be asked again once it is well."""
        order = FailBack(call.principal.user_id)
        return await self._health.ask(order, timeout_s=self._timeout_s)

    def _view(self, job: Job) -> RecoveryJob:
        return job_view(job, self._now)


class RecoveryController(Controller):
    """Failover, failback, and the jobs of recovery."""

    path = "/api/admin/recovery"
    tags = ("recovery",)
    guards = (reaches(Role.OPERATOR),)
    opt = {AUDITED: True}  # noqa: RUF012 - Litestar declares it so

    @get(operation_id="readRecovery")
    async def overview(self, recovery_desk: Given[RecoveryDesk]) -> RecoveryView:
        """How the stores stand, and the newest jobs."""
        return await recovery_desk.overview()

    @get("/{job_id:str}", operation_id="readRecoveryJob", opt=promise(errors=(NotFound,)))
    async def job(self, job_id: FromPath[str], recovery_desk: Given[RecoveryDesk]) -> RecoveryJob:
        """How far a job has come."""
        return await recovery_desk.job(job_id)

    @post(
        "/{job_id:str}/cancel",
        operation_id="cancelRecoveryJob",
        status_code=200,
        opt=promise(errors=(NotFound, Conflict)),
    )
    async def cancel(
        self, job_id: FromPath[str], recovery_desk: Given[RecoveryDesk]
    ) -> RecoveryJob:
        """Let a job end where it stands."""
        return await recovery_desk.cancel(job_id)

    @post("/failover", operation_id="failOver", status_code=200)
    async def failover(self, request: Asked, recovery_desk: Given[RecoveryDesk]) -> StoreVitals:
        """Keep every daemon from asking ZeroDB until failback."""
        return await recovery_desk.fail_over(Call(request.user, request.headers))

    @post("/failback", operation_id="failBack", status_code=200)
    async def failback(self, request: Asked, recovery_desk: Given[RecoveryDesk]) -> StoreVitals:
        """Let ZeroDB be asked again, as soon as probes and sampled reads find it well."""
        return await recovery_desk.fail_back(Call(request.user, request.headers))

    @post("/restore", operation_id="orderRestore", status_code=202, opt=_ordering(ScopeQuery))
    async def restore(self, request: Asked, recovery_desk: Given[RecoveryDesk]) -> Response[bytes]:
        """Give ZeroDB back what it has lost."""
        wish = Wish(scope=decode_json(await _document(request), ScopeQuery).scope())
        return await recovery_desk.order(_call(request), JobKind.RESTORE, wish)

    @post("/verify", operation_id="orderVerify", status_code=202, opt=_ordering(ScopeQuery))
    async def verify(self, request: Asked, recovery_desk: Given[RecoveryDesk]) -> Response[bytes]:
        """Compare PostgreSQL, ZeroDB and the archive by count and hash."""
        wish = Wish(scope=decode_json(await _document(request), ScopeQuery).scope())
        return await recovery_desk.order(_call(request), JobKind.VERIFY, wish)

    @post("/migrate", operation_id="orderMigration", status_code=202, opt=_ordering(MigrationOrder))
    async def migrate(self, request: Asked, recovery_desk: Given[RecoveryDesk]) -> Response[bytes]:
        """Move to another ZeroDB while writes go on, or back."""
        wish = Wish(back=decode_json(await _document(request), MigrationOrder).back)
        return await recovery_desk.order(_call(request), JobKind.MIGRATE, wish)


def _call(request: Asked) -> Call:
    return Call(request.user, request.headers)


async def _document(request: Asked) -> bytes:
    return await request.body() or b"{}"


def _promised(principal_id: str, key: str) -> str:
    return str(uuid.uuid5(_PROMISED, f"{principal_id} {key}"))
