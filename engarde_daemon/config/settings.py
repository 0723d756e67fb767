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
Memory: TypeAlias = Annotated[
    int, Meta(ge=2**28, le=2**40, description="a whole number of bytes, at least 268435456")
]
Pixels: TypeAlias = Annotated[
    int, Meta(ge=1, le=10**9, description="a whole number from 1 to 1000000000")
]
Seconds: TypeAlias = Annotated[
    float, Meta(gt=0, le=86_400, description="a number of seconds above 0, at most 86400")
]
Pause: TypeAlias = Annotated[
    float, Meta(ge=0, le=600, description="a number of seconds from 0 to 600")
]
Dsn: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(embedded|postgres(ql)?://.+)$",
        description='"embedded" or a URL like "postgresql://user:password@host:5432/database"',
    ),
]
MediaUrl: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(embedded|(s3|gs)://[^\s/]+\S*|file:///\S+)$",
        description='"embedded" or a URL like "s3://bucket/folder", "gs://bucket" or "file:///folder"',
    ),
]
Endpoint: TypeAlias = Annotated[
    str, Meta(pattern=r"^(https?://[^\s/]+\S*)?$", description="an https:// URL, or empty")
]
BodyStoreMode: TypeAlias = Annotated[
    Literal["embedded", "cloud", "local"], Meta(description='"embedded", "cloud" or "local"')
]
NextStoreMode: TypeAlias = Annotated[
    Literal["none", "embedded", "cloud", "local"],
    Meta(description='"none", "embedded", "cloud" or "local"'),
]
AuthScheme: TypeAlias = Annotated[
    Literal["x-api-key", "bearer"], Meta(description='"x-api-key" or "bearer"')
]
BaseUrl: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$",
        description='a URL like "https://host/path", without user or query, or empty',
    ),
]
ArchiveMode: TypeAlias = Annotated[
    Literal["embedded", "bigquery"], Meta(description='"embedded" or "bigquery"')
]
DatasetName: TypeAlias = Annotated[
    str, Meta(pattern=r"^\w{1,1024}$", description="letters, digits and underscores")
]
ServiceUrl: TypeAlias = Annotated[
    str, Meta(pattern=r"^(https?://[^\s/]+\S*)?$", description="a URL, or empty")
]
ServiceAddress: TypeAlias = Annotated[
    str, Meta(pattern=r"^([^\s/:]+:[0-9]{1,5})?$", description='text like "host:443", or empty')
]
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

Texts: TypeAlias = Annotated[tuple[str, ...], Meta(description="a list of texts")]
Origins: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^(\*|https?://[^\s/*,]+)$")], ...],
    Meta(description='a list of origins like "https://studio.example.com", or ["*"]'),
]
KeySetUrl: TypeAlias = Annotated[
    str,
    Meta(pattern=r"^(https?://[^\s/]+\S*)?$", description="an https:// URL, or empty"),
]
Secret: TypeAlias = Annotated[
    str,
    Meta(pattern=r"^(?s:.{32,})?$", description="a text of 32 or more characters, or empty"),
]
Leeway: TypeAlias = Annotated[
    float, Meta(ge=0, le=300, description="a number of seconds from 0 to 300")
]
Days: TypeAlias = Annotated[
    int, Meta(ge=1, le=36_500, description="a whole number of days from 1 to 36500")
]
Requests: TypeAlias = Annotated[
    int, Meta(ge=0, le=10_000_000, description="a whole number from 0 (no limit) to 10000000")
]
Switch: TypeAlias = Annotated[bool, Meta(description="true or false")]
Delays: TypeAlias = Annotated[
    tuple[Annotated[str, Meta(pattern=r"^[0-9]{1,4}[smhd]$")], ...],
    Meta(max_length=30, description='a list of delays like "5s", "5m", "2h" or "1d"'),
]

ProviderKind: TypeAlias = Annotated[
    Literal["template", "openai", "anthropic", "compatible"],
    Meta(description='"template", "openai", "anthropic" or "compatible"'),
]
Dialect: TypeAlias = Annotated[
    Literal["chat", "responses"], Meta(description='"chat" or "responses"')
]

_PLAIN_DSN = re.compile(r"\w+://([^@?]*@)?(?P<place>[^@?]+)(\?[^@]*)?")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where the HTTP API listens, how much it reads, and how long it may take to stop."""

    host: NonEmptyText = "127.0.0.1"
    port: Port = 8700
    max_body_bytes: Bytes = 10_000_000
    drain_s: Pause = 0.0
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


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """How content is found beside by its words."""

    semantic: Switch = False


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
    endpoint: Endpoint = ""
    timeout_s: Seconds = 30.0
    file_bytes_max: Bytes = 5 * GB
    upload_limit_s: Seconds = 21_600.0
    pixels_max: Pixels = 50_000_000
    examine_s: Seconds = 30.0
    examine_memory_bytes: Memory = GB
    examine_in_parallel: Count = 2


class Imports(msgspec.Struct, frozen=True, kw_only=True):
    """How campaigns are imported."""

    in_parallel: Count = 4
    assets_in_parallel: Count = 8
    per_tenant_max: Count = 10
    lease_s: Seconds = 30.0
    poll_s: Seconds = 1.0
    estimate_s: Seconds = 5.0
    download_timeout_s: Seconds = 300.0
    export_bytes_max: Bytes = 67_108_864
    export_rows_max: Count = 100_000


class GoogleAds(msgspec.Struct, frozen=True, kw_only=True):
    """Where Google Ads is."""

    base_url: BaseUrl = "https://googleads.googleapis.com"
    token_url: BaseUrl = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    api_version: NonEmptyText = "v26"
    timeout_s: Seconds = 120.0


class MetaAds(msgspec.Struct, frozen=True, kw_only=True):
    """Where Meta's Marketing API is."""

    base_url: BaseUrl = "https://graph.facebook.com"
    api_version: NonEmptyText = "v26.0"
    timeout_s: Seconds = 120.0


class AdPlatforms(msgspec.Struct, frozen=True, kw_only=True):
    """Where ad platforms are."""

    google_ads: GoogleAds = GoogleAds()
    meta: MetaAds = MetaAds()


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

    batch_items: Count = 500
    batch_bytes: Bytes = 8_000_000
    lease_s: Seconds = 12.0
    poll_s: Seconds = 1.0


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """How much memory the bodies read last may keep."""

    body_bytes: Bytes = 32 * 1024**2


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """How the platform's tokens are proved, and what their claims are called."""

    jwks_url: KeySetUrl = ""
    jwt_secret: Secret = ""
    issuer: Text = ""
    audience: Text = ""
    leeway_s: Leeway = 30.0
    tenant_claim: NonEmptyText = "tenant_id"
    brand_claim: NonEmptyText = "brand_id"
    role_claim: NonEmptyText = "role"
    operator_roles: Texts = ()
    admin_roles: Texts = ("admin", "owner")
    editor_roles: Texts = ("editor", "member")
    viewer_roles: Texts = ("viewer",)
    jwks_refresh_s: Seconds = 300.0
    jwks_seek_s: Seconds = 10.0
    jwks_lasts_s: Seconds = 86_400.0
    jwks_timeout_s: Seconds = 5.0

    def __repr__(self) -> str:
        """Keep the secret out of logs and tracebacks."""
        return f"Auth({self.jwks_url or ('a shared secret' if self.jwt_secret else 'no tokens')})"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much callers may ask, and which addresses the daemon calls for them."""

    requests_per_min_principal: Requests = 0
    requests_per_min_tenant: Requests = 0
    allow_private_addresses: Switch = False


class Cors(msgspec.Struct, frozen=True, kw_only=True):
    """Which web pages of other origins may call the API from a browser."""

    allow_origins: Origins = ()


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """How long events are kept, and how those who listen are served."""

    retention_days: Days = 7
    heartbeat_s: Seconds = 15.0
    poll_s: Seconds = 1.0
    listeners_max: Count = 5000
    window_bytes: Bytes = 65_536


class Webhooks(msgspec.Struct, frozen=True, kw_only=True):
    """How webhooks are called, and when they are given up."""

    timeout_s: Seconds = 10.0
    in_flight: Count = 16
    retry_delays: Delays = ("5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h")
    disable_after_days: Days = 5
    secret_overlap_s: Seconds = 86_400.0
    per_tenant_max: Count = 20


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """Where the key lies that seals all secrets the daemon keeps for tenants."""

    key_file: Text = ""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider of language models, and how fast each tenant's key may use it."""

    kind: ProviderKind = "compatible"
    base_url: BaseUrl = ""
    dialect: Dialect = "chat"
    requests_per_min: Requests = 0
    tokens_per_min: Requests = 0
    concurrency: Count = 50


def _providers() -> dict[str, Provider]:
    return {
        "template": Provider(kind="template"),
        "openai": Provider(kind="openai", base_url="https://api.openai.com/v1"),
        "anthropic": Provider(kind="anthropic", base_url="https://api.anthropic.com"),
    }


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """How content is generated, and by whom."""

    default_model: NonEmptyText = "template"
    concurrency: Count = 50
    jobs_per_tenant: Count = 10
    job_timeout_s: Annotated[
        float, Meta(gt=0, le=2_592_000, description="a number of seconds, at most 2592000")
    ] = 259_200.0
    call_timeout_s: Seconds = 120.0
    lease_s: Seconds = 12.0
    poll_s: Seconds = 1.0
    batch_poll_s: Seconds = 60.0
    providers: dict[str, Provider] = msgspec.field(default_factory=_providers)


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """How long it is kept who did what."""

    keep_days: Days = 365


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
    zerodb_next: NextZeroDB = NextZeroDB()
    bigquery: BigQuery = BigQuery()
    search: Search = Search()
    delivery: Delivery = Delivery()
    media: Media = Media()
    imports: Imports = Imports()
    ads: AdPlatforms = AdPlatforms()
    health: Health = Health()
    recovery: Recovery = Recovery()
    replication: Replication = Replication()
    cache: Cache = Cache()
    auth: Auth = Auth()
    limits: Limits = Limits()
    cors: Cors = Cors()
    audit: Audit = Audit()
    events: Events = Events()
    webhooks: Webhooks = Webhooks()
    secrets: Secrets = Secrets()
    generation: Generation = Generation()
    log: Log = Log()
    plans: dict[str, PlanLimits] = msgspec.field(default_factory=_tiers)

    def catalogue(self) -> dict[str, Plan]:
        """Every plan by its name."""
        return {name: limits.plan(name) for name, limits in self.plans.items()}
