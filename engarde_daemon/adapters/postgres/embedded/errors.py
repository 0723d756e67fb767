"""What can go wrong with the embedded PostgreSQL, each as a sentence that says what to do.

EmbeddedPostgresError
  + AlreadyManagedError
"""


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot start or stop."""


class AlreadyManagedError(EmbeddedPostgresError):
    """Another process manages this directory; its server can be used, but not started."""
