"""The actors of this daemon: how each is, and its pause, resume and restart."""

from typing import Literal, Protocol

import msgspec
from litestar import Controller, get, post
from litestar.params import FromPath

from engarde_daemon.api.access import reaches
from engarde_daemon.api.contract import promise
from engarde_daemon.api.giving import Given
from engarde_daemon.core import Health, HealthReport
from engarde_daemon.domain.access import Role
from engarde_daemon.domain.errors import Conflict, NotFound

_SERVES_THIS = "edge"
_STEERING = promise(errors=(NotFound, Conflict))


class ActorReport(msgspec.Struct, frozen=True, kw_only=True):
    """One actor or supervisor of this daemon at this moment."""

    name: str
    path: str
    kind: Literal["actor", "supervisor"]
    status: Health
    restarts: int
    last_error: str | None
    heartbeat_age_s: float
    busy_s: float
    depth: int
    capacity: int
    waiting: int
    oldest_message_age_s: float
    processed: int
    expired: int


class ActorList(msgspec.Struct, frozen=True, kw_only=True):
    """The whole tree, parents before their children."""

    data: list[ActorReport]


class Steering(Protocol):
    """The tree of actors, as far as it may be steered while it runs."""

    def health(self) -> HealthReport:
        """How everything in it is."""

    def pause(self, path: str) -> None:
        """Let an actor take no more messages."""

    def resume(self, path: str) -> None:
        """Let a paused actor go on."""

    def restart(self, path: str) -> None:
        """Replace an actor."""


class ActorsController(Controller):
    """Look at the actors and steer them."""

    path = "/api/admin/actors"
    tags = ("admin",)
    guards = (reaches(Role.OPERATOR),)

    @get(operation_id="listActors")
    async def page(self, steering: Given[Steering]) -> ActorList:
        """Every actor and supervisor of this daemon."""
        return ActorList(data=[view_of(report) for report in steering.health().walk()])

    @post("/{name:str}/pause", operation_id="pauseActor", status_code=200, opt=_STEERING)
    async def pause(self, name: FromPath[str], steering: Given[Steering]) -> ActorReport:
        """Let an actor take no more messages; what is sent to it waits, then is refused."""
        steering.pause(_steered(steering, name))
        return _named(steering, name)

    @post("/{name:str}/resume", operation_id="resumeActor", status_code=200, opt=_STEERING)
    async def resume(self, name: FromPath[str], steering: Given[Steering]) -> ActorReport:
        """Let a paused actor go on."""
        steering.resume(_steered(steering, name))
        return _named(steering, name)

    @post("/{name:str}/restart", operation_id="restartActor", status_code=202, opt=_STEERING)
    async def restart(self, name: FromPath[str], steering: Given[Steering]) -> ActorReport:
        """Replace an actor by a new one with the same mailbox."""
        steering.restart(_steered(steering, name))
        return _named(steering, name)


def view_of(report: HealthReport) -> ActorReport:
    """What is shown of one report."""
    return ActorReport(
        name=report.path.rpartition("/")[2],
        path=report.path,
        kind="supervisor" if report.children else "actor",
        status=report.status,
        restarts=report.restarts,
        last_error=report.last_error,
        heartbeat_age_s=round(report.heartbeat_age_s, 3),
        busy_s=round(report.busy_s, 3),
        depth=report.depth,
        capacity=report.capacity,
        waiting=report.waiting,
        oldest_message_age_s=round(report.oldest_message_age_s, 3),
        processed=report.processed,
        expired=report.expired,
    )


def _steered(steering: Steering, name: str) -> str:
    found = _named(steering, name)
    if found.kind == "supervisor":
        raise Conflict(f"{name} is a supervisor: steer one of its actors.")
    if name == _SERVES_THIS:
        raise Conflict("The edge serves this very request: restart the daemon instead.")
    return found.path


def _named(steering: Steering, name: str) -> ActorReport:
    for report in steering.health().walk():
        if report.path.rpartition("/")[2] == name:
            return view_of(report)
    raise NotFound("There is no such actor.")
