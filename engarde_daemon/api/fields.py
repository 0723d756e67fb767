"""Fields that no pattern can describe: each is taken apart while its request is read.

Owns the promise that a fault in such a field is named together with all others of its request,
because `decoding` meets it where it meets a wrong type.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

import msgspec
from msgspec import Meta

_SHAPE = "shape"

CursorText = Annotated[
    str, Meta(description="`pagination.nextCursor` of the page before; a cursor of this list only.")
]
"""How the place in a list is written; what stands in it is the list's own affair."""


class Parsed(ABC):
    """A value that knows how it is read; `written` is how it looks before that."""

    __slots__ = ()
    written: ClassVar[Any]

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
    written = Annotated[datetime, Meta(tz=True)]

    def __init__(self, utc: datetime) -> None:
        self.utc = utc

    @classmethod
    def parse(cls, value: object) -> Self:
        """See `Parsed.parse`."""
        moment: datetime = msgspec.convert(value, cls.written)
        try:
            return cls(moment.astimezone(UTC))
        except OverflowError:
            raise ValueError("lies outside of the years 1 to 9999 in UTC") from None


def parse(kind: Any, value: object) -> Any:
    """Read a `Parsed` field, as msgspec's `dec_hook`."""
    return kind.parse(value)


def encoded(shape: Any) -> Meta:
    """Say of a field whose type tells little (JSON already, or a document) what is in it."""
    return Meta(extra={_SHAPE: shape})


def shape_in(extra: Mapping[str, Any] | None) -> Any:
    """What `encoded` said, or None."""
    return (extra or {}).get(_SHAPE)
