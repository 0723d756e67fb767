"""The log of what happened, and those who listen to it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from engarde_daemon.domain.events import Event, EventDraft


class Placed(msgspec.Struct, frozen=True):
    """An event and its place among those of its tenant; places have no gaps."""

    position: int
    event: Event


class Bounds(msgspec.Struct, frozen=True):
    """The places that can be read; `first` is above `last` where none can."""

    first: int
    last: int


class EventLog(Protocol):
    """Where actors write down what happened; content's own events come with its writes."""

    async def append(self, drafts: Sequence[EventDraft]) -> int:
        """Write events down and count them; those of unknown tenants are left out.

        Raises:
            Unavailable: PostgreSQL does not answer; whether they were written is not known.
        """

    async def forget(self, *, older_than_days: float, most: int) -> int:
        """Drop events and settled deliveries past their time and count them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class EventReader(Protocol):
    """What those who listen ask; each question names its tenant and sees nothing of another."""

    async def after(self, places: Mapping[str, int], *, most: int) -> dict[str, list[Placed]]:
        """The events after a place, by tenant, at most so many of each; without those of none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def bounds(self, tenant_id: str) -> Bounds:
        """What can be read of a tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Audience(Protocol):
    """Everyone who listens to this daemon."""

    def places(self) -> Mapping[str, int]:
        """The tenants somebody listens to, and how far they were told."""

    async def tell(self, tenant_id: str, events: Sequence[Placed]) -> None:
        """Give events to the listeners of their tenant; nobody is waited for."""


class Bell(Protocol):
    """Between daemons: a hint that something happened, which may be lost."""

    async def ring(self) -> None:
        """Give the hint, or not: whoever waits for it also looks now and then."""

    async def heard(self) -> None:
        """Return when another daemon gave the hint."""
