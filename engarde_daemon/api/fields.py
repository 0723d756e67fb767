"""Fields that no pattern can describe: each is taken apart while its request is read.

Owns the promise that a fault in such a field is named together with all others of its request,
because `decoding` meets it where it meets a wrong type.
"""

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta


class Parsed(ABC):
    """A value that knows how it is read."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def parse(cls, value: object) -> Self:
        """Read it from what JSON or a query parameter gave.

        Raises:
            ValueError: It is none; the text says what it should be.
        """


class Moment(Parsed):
    """A moment that came with its offset, kept in UTC as the platform's columns hold it."""

    __slots__ = ("utc",)

    def __init__(self, utc: datetime) -> None:
        self.utc = utc

    @classmethod
    def parse(cls, value: object) -> Self:
        """See `Parsed.parse`."""
        moment = msgspec.convert(value, Annotated[datetime, Meta(tz=True)])
        try:
            return cls(moment.astimezone(UTC))
        except OverflowError:
            raise ValueError("lies outside of the years 1 to 9999 in UTC") from None


def parse(kind: Any, value: object) -> Any:
    """Read a `Parsed` field, as msgspec's `dec_hook`."""
    return kind.parse(value)
