"""A daemon reduced to its embedded PostgreSQL, to be killed: run as a script by the tests.

Prints one line, `ready` or why not, and stops its server when its standard input ends.
"""

import sys
from pathlib import Path

import anyio
import anyio.to_thread
import structlog

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres, EmbeddedPostgresError


async def main(*arguments: str) -> None:
    """Serve the directory until told to stop."""
    root, *options = arguments
    server = EmbeddedPostgres(Path(root), ephemeral="--ephemeral" in options)
    try:
        await server.start()
    except EmbeddedPostgresError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}")
        return
    sys.stdout.write("ready")
    sys.stdout.flush()
    await anyio.to_thread.run_sync(sys.stdin.read)
    await server.stop()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    anyio.run(main, *sys.argv[1:])
