"""A real PostgreSQL that the daemon starts, watches and stops itself.

For a person who has no database yet: `EmbeddedPostgres` turns an empty directory into a running
server within a second, as root or as an ordinary user, and no crash of either process loses data.
POSIX only: it stands on flock, signals and Unix sockets.
"""

from engarde_daemon.adapters.postgres.embedded.errors import (
    AlreadyManagedError,
    EmbeddedPostgresError,
)
from engarde_daemon.adapters.postgres.embedded.server import EmbeddedPostgres

__all__ = ["AlreadyManagedError", "EmbeddedPostgres", "EmbeddedPostgresError"]
