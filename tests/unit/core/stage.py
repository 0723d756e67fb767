"""The actors, the clock and the witness that the kernel's tests share."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio

from engarde_daemon.core import (
    Actor,
    EventKind,
    HealthReport,
    KernelEvent,
    Message,
    Refusal,
    Request,
    RestartPolicy,
    Supervisor,
)

SOON_S = 20.0
"""A deadline that no test reaches unless it fails."""

AT_ONCE = RestartPolicy(backoff_s=0.0)


class Say(Request[str], frozen=True):
    """Asks a parrot to repeat a text."""

    text: str


class Note(Message, frozen=True):
    """Tells a parrot something that it writes into the diary."""

    text: str


class Fail(Request[str], frozen=True):
    """Makes a parrot crash."""

    reason: str = "broken"


class Decline(Request[str], frozen=True):
    """Asks for something that a parrot refuses."""


class Hold(Request[str], frozen=True):
    """Keeps a parrot busy until its gate opens."""


class Declined(Refusal):
    """What a parrot says to `Decline`."""


Spoken = Say | Note | Fail | Decline | Hold


class Parrot(Actor[Spoken]):
    """Repeats what it is told, and keeps a diary that others can read."""

    def __init__(
        self, name: str = "parrot", diary: list[str] | None = None, gate: "Gate | None" = None
    ) -> None:
        self.name = name
        self.diary = diary if diary is not None else []
        self.gate = gate or Gate()

    async def started(self, resources: AsyncExitStack) -> None:
        """Write it down, and write the end down too."""
        self.write("started")
        resources.callback(self.write, "closed")

    async def receive(self, message: Spoken) -> Any:
        """Do as the message says."""
        match message:
            case Say(text):
                return text
            case Note(text):
                self.write(text)
            case Fail(reason):
                raise ValueError(reason)
            case Decline():
                raise Declined("no")
            case Hold():
                await self.gate.pass_through()
                return "held"
        return None

    async def stopping(self) -> None:
        """Write it down."""
        self.write("stopping")

    def write(self, line: str) -> None:
        """Add a line to the diary."""
        self.diary.append(f"{self.name} {line}")


class Gate:
    """Where an actor waits until the test lets it through."""

    def __init__(self) -> None:
        self.reached = anyio.Event()
        self.opened = anyio.Event()

    async def pass_through(self) -> None:
        """Say that somebody is here, and wait."""
        self.reached.set()
        await self.opened.wait()


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


class Witness:
    """Hears the kernel's events, and lets a test wait for one."""

    def __init__(self) -> None:
        self.events: list[KernelEvent] = []
        self._heard = anyio.Event()

    def __call__(self, event: KernelEvent) -> None:
        """Note an event."""
        self.events.append(event)
        self._heard.set()

    def of(self, kind: EventKind) -> list[KernelEvent]:
        """Give the events of one kind."""
        return [event for event in self.events if event.kind is kind]

    async def hears(self, kind: EventKind, count: int = 1) -> KernelEvent:
        """Wait until there were `count` events of a kind, and give the last of them."""
        while len(self.of(kind)) < count:
            self._heard = anyio.Event()
            await self._heard.wait()
        return self.of(kind)[count - 1]


@asynccontextmanager
async def running(root: Supervisor) -> AsyncIterator[Supervisor]:
    """Run a tree, ready when entered, and stop it at the end."""
    async with anyio.create_task_group() as tasks:
        await tasks.start(root.run)
        try:
            yield root
        finally:
            root.stop()


async def eventually(condition: Callable[[], object]) -> None:
    """Let the others run until the condition holds; the test's timeout is the deadline."""
    while not condition():
        await anyio.lowlevel.checkpoint()


def report_of(root: Supervisor, path: str) -> HealthReport:
    """Give the health of one place in the tree."""
    (report,) = (report for report in root.health().walk() if report.path == path)
    return report
