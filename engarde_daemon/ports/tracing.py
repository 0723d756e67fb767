"""What the daemon tells about how long its work took and what it was caused by."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

Attribute: TypeAlias = str | int | float | bool


class Span(Protocol):
    """A piece of work under way."""

    @property
    def traceparent(self) -> str | None:
        """How others name it; None where it is not recorded."""

    def set(self, attributes: Mapping[str, Attribute]) -> None:
        """Say something about it."""

    def fail(self, reason: str) -> None:
        """Say that it went wrong."""

    def end(self) -> None:
        """Say that it is over; only the first time counts."""


class Tracer(Protocol):
    """Where spans go."""

    def begin(
        self,
        name: str,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        serves: bool = False,
    ) -> Span:
        """A piece of work that begins now; `serves` is one that somebody outside asked for."""

    def span(
        self, name: str, *, parent: str | None = None, links: Sequence[str] = ()
    ) -> AbstractContextManager[Span]:
        """A piece of work that lasts as long as a block; what the block raises is noted."""


class TraceBook(Protocol):
    """Which requests made the versions that are on their way."""

    async def causes(self, outbox_ids: Sequence[int]) -> list[str]:
        """The traces of these rows of the outbox, each once.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
