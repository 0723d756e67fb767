"""The settings of the stores, and of what keeps them filled, watched and restorable.

Owns where each embedded store lies below the data directory.
"""

import re
from pathlib import Path

import msgspec

from engarde_daemon.config.kinds import (
    ArchiveMode,
    AuthScheme,
    BaseUrl,
    BodyStoreMode,
    Bytes,
    Count,
    DatasetName,
    Dsn,
    LongSeconds,
    MediaUrl,
    Memory,
    NextStoreMode,
    NonEmptyText,
    Pixels,
    Requests,
    Seconds,
    ServiceAddress,
    ServiceUrl,
    SignedSeconds,
    Switch,
    Text,
)
from engarde_daemon.domain.plans import GB

_PLAIN_DSN = re.compile(r"\w+://([^@?]*@)?(?P<place>[^@?]+)(\?[^@]*)?")


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
    def media_folder(self) -> Path:
        """The bytes of media files, where no other store is named."""
        return self.path / "media"

    @property
    def spool_folder(self) -> Path:
        """Copies of files that are being looked into; of no worth to the next life."""
        return self.path / "spool"

    @property
    def zerodb_next_folder(self) -> Path:
        """The embedded ZeroDB that bodies are moved to."""
        return self.path / "zerodb-next"

    @property
    def archive_folder(self) -> Path:
        """The embedded archive."""
        return self.path / "archive"

    @property
    def secret_key_file(self) -> Path:
        """The key of all secrets, where no other is named."""
        return self.path / "secrets.key"

    @property
    def credentials_file(self) -> Path:
        """What the first start wrote down for its user."""
        return self.path / "credentials.json"


class Postgres(msgspec.Struct, frozen=True, kw_only=True):
    """Which PostgreSQL holds the metadata, and how the daemon uses it."""

    dsn: Dsn = "embedded"
    reader_connections: Count = 8
    writer_connections: Count = 6
    request_timeout_s: Seconds = 5.0
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
    base_url: BaseUrl = ""
    project_id: Text = ""
    api_key: Text = ""
    auth_scheme: AuthScheme = "x-api-key"
    timeout_s: Seconds = 10.0
    concurrency: Count = 8

    def __repr__(self) -> str:
        """Keep the key out of logs and tracebacks."""
        return f"ZeroDB({self.mode})"


class NextZeroDB(ZeroDB, frozen=True, kw_only=True):
    """Which document store bodies are moved to; none while nothing is to be moved."""

    mode: NextStoreMode = "none"  # type: ignore[assignment]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How staged bodies travel to ZeroDB, and how many bytes may wait for it."""

    batch_items: Count = 50
    batches_in_flight: Count = 4
    lease_s: Seconds = 12.0
    poll_s: Seconds = 1.0
    staging_limit_bytes: Bytes = 2 * GB


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bytes of media files are, and what a file may cost."""

    url: MediaUrl = "embedded"
    endpoint: ServiceUrl = ""
    timeout_s: Seconds = 30.0
    file_bytes_max: Bytes = 5 * GB
    upload_limit_s: Seconds = 21_600.0
    resume_s: LongSeconds = 86_400.0
    signed_url_s: SignedSeconds = 0
    pixels_max: Pixels = 50_000_000
    examine_s: Seconds = 30.0
    examine_memory_bytes: Memory = GB
    examine_in_parallel: Count = 2


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """When a store outside is left alone, and what brings it back."""

    probe_every_s: Seconds = 1.0
    probe_timeout_s: Seconds = 1.5
    read_patience_s: Seconds = 2.0
    failures_in_a_row: Count = 5
    slow_s: Seconds = 5.0
    open_s: Seconds = 5.0
    open_max_s: Seconds = 60.0
    failover_after_s: Seconds = 5.0
    verified_reads: Count = 20


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """How fast restore, verify and migrate go."""

    page_versions: Count = 200
    page_bytes: Bytes = 16_000_000
    versions_per_s: Requests = 0
    lease_s: Seconds = 12.0


class BigQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which archive holds the copy for analysis and disaster recovery."""

    mode: ArchiveMode = "embedded"
    project: Text = ""
    dataset: DatasetName = "engarde_analytics"
    location: NonEmptyText = "US"
    endpoint: ServiceUrl = ""
    write_endpoint: ServiceAddress = ""
    anonymous: Switch = False
    timeout_s: Seconds = 30.0
    load_jobs_after_s: Seconds = 180.0
    maximum_bytes_billed: Bytes = 1024**4


class Replication(msgspec.Struct, frozen=True, kw_only=True):
    """How versions travel to the archive."""

    batch_items: Count = 2000
    batch_bytes: Bytes = 8_000_000
    lease_s: Seconds = 12.0
    poll_s: Seconds = 1.0


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """How much memory the bodies read last may keep."""

    body_bytes: Bytes = 32 * 1024**2
