"""Every setting of the daemon with its default and its bounds.

Owns the names that operators rely on: a field's section and name are its key in `engarde.toml`
and, in capitals, its environment variable. `engarde.toml` explains each in words; a test keeps
the two the same. A type's description is what an error says is allowed.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from engarde_daemon.domain.plans import GB, Plan

Text: TypeAlias = Annotated[str, Meta(description="text")]
NonEmptyText: TypeAlias = Annotated[
    str, Meta(min_length=1, description="text of one or more characters")
]
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65535, description="a whole number from 1 to 65535")]
Count: TypeAlias = Annotated[
    int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
]
Bytes: TypeAlias = Annotated[
    int, Meta(ge=1024, le=2**50, description="a whole number of bytes, at least 1024")
]
Seconds: TypeAlias = Annotated[
    float, Meta(gt=0, le=86_400, description="a number of seconds above 0, at most 86400")
]
Dsn: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(embedded|postgres(ql)?://.+)$",
        description='"embedded" or a URL like "postgresql://user:password@host:5432/database"',
    ),
]
BodyStoreMode: TypeAlias = Annotated[Literal["embedded"], Meta(description='"embedded"')]
LogLevel: TypeAlias = Annotated[
    Literal["debug", "info", "warning", "error"],
    Meta(description='"debug", "info", "warning" or "error"'),
]
LogFormat: TypeAlias = Annotated[
    Literal["auto", "json", "console"], Meta(description='"auto", "json" or "console"')
]
StorageLimit: TypeAlias = Annotated[
    Annotated[float, Meta(gt=0, le=1e9)] | Literal["unlimited"],
    Meta(description='a number of GB above 0, or "unlimited"'),
]
WholeLimit: TypeAlias = Annotated[
    Annotated[int, Meta(ge=1, le=2**31 - 1)] | Literal["unlimited"],
    Meta(description='a whole number above 0, or "unlimited"'),
]

_PLAIN_DSN = re.compile(r"\w+://([^@?]*@)?(?P<place>[^@?]+)(\?[^@]*)?")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where the HTTP API listens, how much it reads, and how long it may take to stop."""

    host: NonEmptyText = "127.0.0.1"
    port: Port = 8700
    max_body_bytes: Bytes = 10_000_000
    shutdown_grace_s: Seconds = 20.0


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """Where the embedded stores live, and what lies where below it."""

    data_dir: NonEmptyText = "./data"

    @property
    def path(self) -> Path:
        """The data directory, independent of a later change of the working directory."""
        return Path(self.data_dir).expanduser().absolute()

    @property
    def postgres_root(self) -> Path:
        """The embedded PostgreSQL."""
        return self.path / "postgres"

    @property
    def zerodb_folder(self) -> Path:
        """The embedded ZeroDB."""
        return self.path / "zerodb"

    @property
    def credentials_file(self) -> Path:
        """What the first start wrote down for its user."""
        return self.path / "credentials.json"


class Postgres(msgspec.Struct, frozen=True, kw_only=True):
    """Which PostgreSQL holds the metadata, and how the daemon uses it."""

    dsn: Dsn = "embedded"
    reader_connections: Count = 8
    writer_connections: Count = 6
    statement_timeout_s: Seconds = 15.0
    connect_timeout_s: Seconds = 10.0

    @property
    def place(self) -> str:
        """Where the server is, without the user and the password that the DSN may carry.

        A DSN in which they cannot be told apart from the rest is not shown at all.
        """
        if self.dsn == "embedded":
            return self.dsn
        plain = _PLAIN_DSN.fullmatch(self.dsn)
        return plain["place"] if plain else "a PostgreSQL server"

    def __repr__(self) -> str:
        """Keep the password of the DSN out of logs and tracebacks."""
        return f"Postgres({self.place})"


class ZeroDB(msgspec.Struct, frozen=True, kw_only=True):
    """Which document store holds the bodies."""

    mode: BodyStoreMode = "embedded"
    timeout_s: Seconds = 10.0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How staged bodies travel to ZeroDB, and how many bytes may wait for it."""

    batch_items: Count = 50
    batches_in_flight: Count = 4
    lease_s: Seconds = 30.0
    poll_s: Seconds = 1.0
    staging_limit_bytes: Bytes = 2 * GB


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """How much memory the bodies read last may keep."""

    body_bytes: Bytes = 32 * 1024**2


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged, in which form, and where it goes."""

    level: LogLevel = "info"
    format: LogFormat = "auto"
    file: Text = ""


class PlanLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one plan allows its tenants; a plan of one's own names all three."""

    storage_gb: StorageLimit
    retention_days: WholeLimit
    monthly_items: WholeLimit

    def plan(self, name: str) -> Plan:
        """The plan that the rest of the daemon reckons with."""
        return Plan(
            name=name,
            storage_bytes=None if self.storage_gb == "unlimited" else round(self.storage_gb * GB),
            retention_days=None if self.retention_days == "unlimited" else self.retention_days,
            monthly_items=None if self.monthly_items == "unlimited" else self.monthly_items,
        )


def _tiers() -> dict[str, PlanLimits]:
    return {
        "free": PlanLimits(storage_gb=1, retention_days=30, monthly_items=100),
        "starter": PlanLimits(storage_gb=10, retention_days=90, monthly_items=1_000),
        "professional": PlanLimits(storage_gb=100, retention_days=365, monthly_items=10_000),
        "business": PlanLimits(storage_gb=500, retention_days=1825, monthly_items=50_000),
        "enterprise": PlanLimits(
            storage_gb="unlimited", retention_days="unlimited", monthly_items="unlimited"
        ),
    }


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration, checked; one field for each section."""

    server: Server = Server()
    storage: Storage = Storage()
    postgres: Postgres = Postgres()
    zerodb: ZeroDB = ZeroDB()
    delivery: Delivery = Delivery()
    cache: Cache = Cache()
    log: Log = Log()
    plans: dict[str, PlanLimits] = msgspec.field(default_factory=_tiers)

    def catalogue(self) -> dict[str, Plan]:
        """Every plan by its name."""
        return {name: limits.plan(name) for name, limits in self.plans.items()}
