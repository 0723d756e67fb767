"""Whose processor time it is: a daemon's and a zerodb-local's, each beside its PostgreSQL.

Who shares a machine with strangers finds out more from this than from a clock.
"""

import msgspec
import psutil

from bench.usage import cpu_of


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of processor time, by party."""

    server_s: float
    server_postgres_s: float
    daemon_s: float
    daemon_postgres_s: float

    def __sub__(self, earlier: "Spent") -> "Spent":
        return Spent(
            server_s=self.server_s - earlier.server_s,
            server_postgres_s=self.server_postgres_s - earlier.server_postgres_s,
            daemon_s=self.daemon_s - earlier.daemon_s,
            daemon_postgres_s=self.daemon_postgres_s - earlier.daemon_postgres_s,
        )

    @property
    def by_server_s(self) -> float:
        """What the server took, with its PostgreSQL."""
        return self.server_s + self.server_postgres_s

    @property
    def total_s(self) -> float:
        """What all of them took."""
        return self.by_server_s + self.daemon_s + self.daemon_postgres_s

    def told(self, rows: int) -> str:
        """Milliseconds a row."""
        parts = {
            "server": self.server_s,
            "PostgreSQL of that": self.server_postgres_s,
            "daemon": self.daemon_s,
            "PostgreSQL of this": self.daemon_postgres_s,
        }
        return ", ".join(f"{name} {1000 * spent / rows:.3f}" for name, spent in parts.items())


def spent_so_far(daemon: psutil.Process) -> Spent:
    """What they spent since they began; whatever else this process runs counts as the server."""
    all_s, daemon_s = cpu_of(psutil.Process()), cpu_of(daemon)
    return Spent(
        server_s=all_s.other_s - daemon_s.own_s - daemon_s.other_s,
        server_postgres_s=all_s.postgres_s - daemon_s.postgres_s,
        daemon_s=daemon_s.own_s + daemon_s.other_s,
        daemon_postgres_s=daemon_s.postgres_s,
    )
