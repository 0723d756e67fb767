"""What a check found, in words for a person and in words for a script."""

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How bad it is: a fault keeps the daemon from working, a warning soon may."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one check: what was seen, and what to do where it is not in order."""

    check: str
    state: State
    detail: str
    advice: str = ""
