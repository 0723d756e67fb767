"""What may be said to the assembler."""

from engarde_daemon.core import Message


class Assemble(Message, frozen=True):
    """Look for an upload that is whole."""
