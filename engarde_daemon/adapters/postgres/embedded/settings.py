"""The server's settings: `managed.conf`, which PostgreSQL includes and we rewrite at each start.

Invariant: a durable server keeps fsync, full_page_writes and synchronous_commit on. An operator's
`ALTER SYSTEM` wins over this file, because PostgreSQL reads `postgresql.auto.conf` last.
"""

import os
from collections.abc import Mapping
from pathlib import Path

PORT = 5432  # only names the socket file: no TCP port is opened

_BIG_MEMORY_BYTES = 4 * 1024**3

_DURABLE: Mapping[str, str] = {
    "port": str(PORT),
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "superuser_reserved_connections": "3",
    "password_encryption": "scram-sha-256",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # for `engarde backup`: pg_basebackup takes two senders, and one that was killed may have left two
    "wal_level": "replica",
    "max_wal_senders": "4",
    "max_wal_size": "1GB",
    "min_wal_size": "80MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "default_statistics_target": "100",
    "track_io_timing": "on",
    "idle_in_transaction_session_timeout": "60s",
    "lock_timeout": "30s",
    "client_connection_check_interval": "5s",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_duration_statement": "500ms",
    "log_parameter_max_length": "0",  # a slow statement's values are customers' content
    "log_lock_waits": "on",
    "log_checkpoints": "on",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}

_EPHEMERAL: Mapping[str, str] = {
    "max_connections": "200",  # several daemons at once, each of which opens up to 17 for itself
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "60min",
    "logging_collector": "off",
    "log_checkpoints": "off",
}


def server_settings(
    socket_directory: Path, *, ephemeral: bool, memory_bytes: int
) -> dict[str, str]:
    """Every setting of a server, by name; an ephemeral one gives up durability for speed."""
    return {
        **_DURABLE,
        "shared_buffers": "256MB" if memory_bytes >= _BIG_MEMORY_BYTES else "128MB",
        "unix_socket_directories": str(socket_directory),
        **(_EPHEMERAL if ephemeral else {}),
    }


def render(settings: Mapping[str, str]) -> str:
    """The settings as the text of a PostgreSQL configuration file."""
    lines = [f"{name} = {_quoted(value)}\n" for name, value in settings.items()]
    return "".join(["# Rewritten at each start. To change a setting, use ALTER SYSTEM.\n", *lines])


def memory_available_bytes() -> int:
    """The memory this machine or its container may use."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no cgroup v2, or "max": no limit
        return physical
    return min(physical, limit)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
