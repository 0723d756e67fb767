"""What may be said to the generation actor: reminders only, for its work is in the database."""

from typing import TypeAlias

from engarde_daemon.core import Message


class Wake(Message, frozen=True):
    """Look for items that can be called now."""


class Tidy(Message, frozen=True):
    """Free what lost its holder, and end the jobs that are done."""


class HoldOn(Message, frozen=True):
    """Hold longer what is under way."""


GenerationMessage: TypeAlias = Wake | Tidy | HoldOn
