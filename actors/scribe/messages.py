"""What may be asked of the scribe."""

from engarde_daemon.core import Request
from engarde_daemon.ports.generation import Step


class NoteStep(Request[bool], frozen=True):
    """Write a step of an item down; false where its claim no longer held."""

    step: Step
