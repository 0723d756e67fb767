"""A database server that the daemon itself keeps running."""

from typing import Protocol


class DatabaseServer(Protocol):
    """A server that can die and be started again."""

    async def start(self) -> None:
        """Start it, recovering what a crash left behind."""

    async def wait_died(self) -> None:
        """Return when it is gone."""
