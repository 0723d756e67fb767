"""Every setting of the daemon with its default and its bounds.

Owns the names that operators rely on: a field's section and name are its key in `engarde.toml`
and, in capitals, its environment variable. `engarde.toml` explains each in words; a test keeps
the two the same.
"""

import msgspec

from engarde_daemon.config.kinds import (
    BaseUrl,
    Bytes,
    Count,
    Days,
    Delays,
    Dialect,
    Leeway,
    LogFormat,
    LogLevel,
    LongSeconds,
    NonEmptyText,
    Origins,
    Pause,
    Port,
    ProviderKind,
    Ratio,
    Requests,
    Seconds,
    Secret,
    ServiceUrl,
    StorageLimit,
    Switch,
    Text,
    Texts,
    WholeLimit,
)
from engarde_daemon.config.stores import (
    BigQuery,
    Cache,
    Delivery,
    Health,
    Media,
    NextZeroDB,
    Postgres,
    Recovery,
    Replication,
    Storage,
    ZeroDB,
)
from engarde_daemon.domain.plans import GB, Plan


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where the HTTP API listens, how much it reads, and how long it waits for whom."""

    host: NonEmptyText = "127.0.0.1"
    port: Port = 8700
    max_body_bytes: Bytes = 10_000_000
    send_stall_s: Seconds = 60.0
    drain_s: Pause = 0.0
    shutdown_grace_s: Seconds = 20.0

    @property
    def base_url(self) -> str:
        """Where callers on this machine reach the API."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """How content is found beside by its words."""

    semantic: Switch = False


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


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """How the platform's tokens are proved, and what their claims are called."""

    jwks_url: ServiceUrl = ""
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
    job_timeout_s: LongSeconds = 259_200.0
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


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    """Where spans go, and how many of them."""

    endpoint: ServiceUrl = ""
    service_name: NonEmptyText = "engarde"
    sample_ratio: Ratio = 1.0
    timeout_s: Seconds = 5.0


class PlanLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one plan allows its tenants; a plan of one's own names the three that have no default."""

    storage_gb: StorageLimit
    retention_days: WholeLimit
    monthly_items: WholeLimit
    forget_in_archive: Switch = False

    def plan(self, name: str) -> Plan:
        """The plan that the rest of the daemon reckons with."""
        return Plan(
            name=name,
            storage_bytes=None if self.storage_gb == "unlimited" else round(self.storage_gb * GB),
            retention_days=None if self.retention_days == "unlimited" else self.retention_days,
            monthly_items=None if self.monthly_items == "unlimited" else self.monthly_items,
            forgets_in_archive=self.forget_in_archive,
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
    telemetry: Telemetry = Telemetry()
    plans: dict[str, PlanLimits] = msgspec.field(default_factory=_tiers)

    def catalogue(self) -> dict[str, Plan]:
        """Every plan by its name."""
        return {name: limits.plan(name) for name, limits in self.plans.items()}
