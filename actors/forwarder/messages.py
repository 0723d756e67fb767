"""What may be said to the forwarder: reminders only, for its work is in the database."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Wake(Message, frozen=True):
    """Put together what waits, and look after the batches that are due."""


class HoldOn(Message, frozen=True):
    """Hold longer the batches that are being looked after."""


ForwarderMessage: TypeAlias = Wake | HoldOn
