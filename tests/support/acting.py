"""One actor under a supervisor, for as long as a test talks to it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio

from engarde_daemon.core import (
    Actor,
    ActorError,
    Address,
    Health,
    Message,
    Refusal,
    Request,
    Restart,
    Supervisor,
)
from tests.support.patience import PATIENCE_S

M = TypeVar("M", bound=Message)


@asynccontextmanager
async def acting(factory: Callable[[], Actor[M]]) -> AsyncIterator[Address[M]]:
    """Yield the address of a running actor, which must still be the first one at the end."""
    supervisor = Supervisor("test")
    address = supervisor.add("actor", factory, capacity=1024, restart=Restart.TEMPORARY)
    async with anyio.create_task_group() as tasks:
        await tasks.start(supervisor.run)
        yield address
        (report,) = supervisor.health().children
        supervisor.stop()
    assert report.status is Health.RUNNING, report.last_error


class Steered:
    """A running actor, and the operator who pauses it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def pause(self) -> None:
        """Let it take nothing more."""
        self._supervisor.pause("test/actor")

    def resume(self) -> None:
        """Let it go on."""
        self._supervisor.resume("test/actor")


@asynccontextmanager
async def steered(factory: Callable[[], Actor[M]]) -> AsyncIterator[Steered]:
    """Yield a running actor that can be paused."""
    supervisor = Supervisor("test")
    supervisor.add("actor", factory, capacity=1024, restart=Restart.TEMPORARY)
    async with anyio.create_task_group() as tasks:
        await tasks.start(supervisor.run)
        yield Steered(supervisor)
        supervisor.stop()


async def together(address: Address[Any], requests: Sequence[Request[Any]]) -> list[Any]:
    """Ask everything at once and give the answers and errors, in the order of the requests."""
    outcomes: list[Any] = [None] * len(requests)

    async def ask(place: int) -> None:
        try:
            outcomes[place] = await address.ask(requests[place], timeout_s=PATIENCE_S)
        except (ActorError, Refusal) as error:
            outcomes[place] = error

    async with anyio.create_task_group() as tasks:
        for place in range(len(requests)):
            tasks.start_soon(ask, place)
    return outcomes
