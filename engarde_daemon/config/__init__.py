"""What operators may set: `engarde.toml`, the environment and the command line, read once at start.

Nothing else of the daemon reads files or the environment for settings; every part is handed the
section it needs.
"""

from engarde_daemon.config.errors import ConfigurationError
from engarde_daemon.config.loading import keys, load
from engarde_daemon.config.settings import Log, PlanLimits, Server, Settings
from engarde_daemon.config.stores import Cache, Delivery, Postgres, Storage, ZeroDB

__all__ = [
    "Cache",
    "ConfigurationError",
    "Delivery",
    "Log",
    "PlanLimits",
    "Postgres",
    "Server",
    "Settings",
    "Storage",
    "ZeroDB",
    "keys",
    "load",
]
