"""What may be said to the courier: that there may be something to carry."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Wake(Message, frozen=True):
    """Look for deliveries that are due."""


class CountDue(Message, frozen=True):
    """See how much waits."""


CourierMessage: TypeAlias = Wake | CountDue
