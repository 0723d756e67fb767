"""The fixtures of these tests: one server for the run, one migrated database for each test."""

from tests.support.database import (
    dsn_as,
    migrated_template,
    postgres_server,
    sessions,
    superuser,
    tenant,
)

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser", "tenant"]
