"""What the daemon and its dashboard say to each other, and nothing else.

Owns the stability of that conversation: a field is never renamed or given another meaning, new ones
come with a default, and whoever reads passes over fields they do not know. So a dashboard and a
daemon of different versions understand each other. Nothing of ours is imported here.
"""

from engarde_daemon.protocol.feed import FeedEvent, FeedFrame, FrameKind, Missed, read_frame
from engarde_daemon.protocol.log import LogLevel, LogPage, LogRecord
from engarde_daemon.protocol.snapshot import (
    ActorView,
    BacklogView,
    DaemonState,
    DaemonView,
    JobView,
    Rates,
    Risk,
    Safety,
    Severity,
    Snapshot,
    StoreState,
    StoreView,
    TenantsView,
    TenantView,
)

__all__ = [
    "ActorView",
    "BacklogView",
    "DaemonState",
    "DaemonView",
    "FeedEvent",
    "FeedFrame",
    "FrameKind",
    "JobView",
    "LogLevel",
    "LogPage",
    "LogRecord",
    "Missed",
    "Rates",
    "Risk",
    "Safety",
    "Severity",
    "Snapshot",
    "StoreState",
    "StoreView",
    "TenantView",
    "TenantsView",
    "read_frame",
]
