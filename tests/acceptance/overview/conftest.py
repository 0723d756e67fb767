"""Sites with a ZeroDB that can be harmed, and daemons side by side."""

from tests.acceptance.recovery.conftest import place, site, used_data_dir
from tests.support.daemon import shared_daemon
from tests.support.database import postgres_server

__all__ = ["place", "postgres_server", "shared_daemon", "site", "used_data_dir"]
