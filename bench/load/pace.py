"""When requests are due, for a load that is to be the same whatever the server does."""


class Pace:
    """The due times of one connection: every `connections / rate_per_s` seconds.

    The connections of a load take turns, so that their requests never come in bursts.
    """

    def __init__(
        self, rate_per_s: float, *, connections: int, connection: int, began_ns: int
    ) -> None:
        self._period_ns = connections / rate_per_s * 1e9
        self._due_ns = began_ns + connection / rate_per_s * 1e9

    def next_ns(self) -> int:
        """The time of the next request; it is past where the server has kept the connection busy."""
        due_ns = self._due_ns
        self._due_ns += self._period_ns
        return int(due_ns)
