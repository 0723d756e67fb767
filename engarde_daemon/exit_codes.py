"""What the exit codes of `engarde` mean, for scripts and service managers."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The codes of every command; click itself ends with 2 on wrong usage."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    CANNOT_START = 3
