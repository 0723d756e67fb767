"""The shared daemon, against which the sessions of the docs are run."""

from tests.support.daemon import daemon, shared_daemon
from tests.support.postgres import postgres_server

__all__ = ["daemon", "postgres_server", "shared_daemon"]
