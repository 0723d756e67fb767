"""What may be said to the curator."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Wake(Message, frozen=True):
    """Look for files that wait; sent after each upload and now and then."""


class Sweep(Message, frozen=True):
    """Clear away what uploads left behind."""


CuratorMessage: TypeAlias = Wake | Sweep
