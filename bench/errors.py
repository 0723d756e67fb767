"""The one way in which a run fails."""


class BenchError(Exception):
    """The run cannot go on; the message says why, for the person who started it."""
