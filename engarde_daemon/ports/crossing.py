"""Two ZeroDBs during a move, and which of them every daemon uses."""

from typing import NamedTuple, Protocol

from engarde_daemon.ports.bodies import BodyStore


class Named(NamedTuple):
    """A body store, and the address by which all daemons mean the same one."""

    address: str
    store: BodyStore


class Crossing(Protocol):
    """The stores of a move, as this daemon has them."""

    @property
    def configured(self) -> Named:
        """The store of `[zerodb]`."""

    @property
    def following(self) -> Named | None:
        """The store of `[zerodb_next]`."""

    def is_using(self, address: str) -> bool:
        """Whether this is the address of the store in use."""


class Signpost(Protocol):
    """Where all daemons look which store to use."""

    async def in_use(self) -> str | None:
        """The address of the store to use, None where nothing was ever moved.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def point_to(self, address: str) -> None:
        """Have every daemon use the store at this address.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
