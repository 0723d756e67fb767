"""What may be said to the importer: reminders only, for its work is in the database."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Wake(Message, frozen=True):
    """Look for imports that can go on now."""


class HoldOn(Message, frozen=True):
    """Hold longer what is under way."""


class Look(Message, frozen=True):
    """Look for both: somebody asked for an import, or cancelled one."""


ImporterMessage: TypeAlias = Wake | HoldOn | Look
