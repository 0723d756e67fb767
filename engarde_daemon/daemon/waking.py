"""How those who carry on after a write learn of it."""

from contextlib import suppress
from typing import Any

from engarde_daemon.core import ActorStopped, Address, MailboxFull, Message


def wake(address: Address[Any], reminder: Message) -> None:
    """Leave a reminder where none lies; one that is lost is made up for by polling."""
    with suppress(MailboxFull, ActorStopped):
        if address.depth == 0:
            address.offer(reminder)
