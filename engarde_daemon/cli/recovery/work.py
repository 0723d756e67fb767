"""An order given to a running daemon, and watched until it is done.

Owns the patience: a daemon that is restarted meanwhile is waited for, because the job goes on where
it was. Whoever stops watching stops nothing.
"""

import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from engarde_daemon.api.recovery.schemas import RecoveryJob
from engarde_daemon.cli.transfer.door import Door, check, decoded, patiently, read_notes, translated
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import Rejected
from engarde_daemon.domain.recovery import LIVE

ROUTE = "/api/admin/recovery"
LOOK_EVERY_S = 0.5


class _Noted(msgspec.Struct, frozen=True):
    base_url: str
    operator_key: str


def find_operators_door(settings: Settings, url: str | None, key: str | None) -> Door:
    """What was given, and for the rest what the first start of the daemon wrote down.

    Raises:
        CannotStartError: Something is missing, and there are no such notes.
    """
    if url and key:
        return Door(url, key)
    noted = read_notes(settings, _Noted, "an operator's")
    return Door(url or noted.base_url, key or noted.operator_key)


def carry_out(door: Door, order: str, wish: dict[str, Any]) -> RecoveryJob:
    """Order a job, show how it goes, and give what became of it.

    Raises:
        CannotStartError: The daemon does not answer.
        Rejected: The daemon will not do this, or the job failed.
    """
    promise = {"Idempotency-Key": str(uuid.uuid4())}
    with door.opened() as client:
        ordered = _asked(lambda: client.post(f"{ROUTE}/{order}", json=wish, headers=promise))
        job = _watched(client, ordered)
    if job.error is not None or job.state == "cancelled":
        raise Rejected(f"The job {job.id} {job.state}: {job.error or 'somebody ended it'}")
    return job


def _watched(client: httpx.Client, job: RecoveryJob) -> RecoveryJob:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("versions"), TimeRemainingColumn(),
    )  # fmt: skip
    watched = sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not watched) as bar:
        task = bar.add_task(job.kind, total=None)
        while job.state in LIVE:
            _show(bar, task, job)
            time.sleep(LOOK_EVERY_S)
            job = _asked(lambda: client.get(f"{ROUTE}/{job.id}"))  # noqa: B023 - called at once
        _show(bar, task, job)
    return job


def _show(bar: Progress, task: TaskID, job: RecoveryJob) -> None:
    waits = f"{job.kind}: {job.error or job.phase}"
    bar.update(task, completed=job.done, total=job.total or None, description=waits)


def _asked(request: Callable[[], httpx.Response]) -> RecoveryJob:
    def attempt() -> RecoveryJob:
        with translated():
            answer = request()
        check(answer)
        return decoded(answer, RecoveryJob)

    return patiently(attempt, progress=lambda: None)
