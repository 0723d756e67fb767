"""Settings that are allowed, and hardly ever meant."""

from collections.abc import Iterator

from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.config import Settings, ZeroDB

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_FREE_ATTEMPTS_S = 60.0


async def check_settings(settings: Settings) -> Finding:
    """Whether some settings defeat others, or a protection."""
    odd = list(oddities(settings))
    if odd:
        advice = "Change it, unless you know why it is so. engarde.toml explains each setting."
        return Finding("settings", State.WARNING, "; ".join(odd), advice)
    return Finding("settings", State.OK, "nothing odd among them")


def oddities(settings: Settings) -> Iterator[str]:
    """Everything that is odd, each in a few words."""
    is_public = settings.server.host not in _LOOPBACK
    if is_public and settings.limits.allow_private_addresses:
        yield (
            "[limits] allow_private_addresses lets tenants reach your network through this daemon, "
            "which is not on a loopback address"
        )
    if "*" in settings.cors.allow_origins:
        yield "[cors] allow_origins lets every web page call the API"
    if settings.bigquery.anonymous and not settings.bigquery.endpoint:
        yield "[bigquery] anonymous signs in with nothing, and Google takes nobody like that"
    if "sslmode=disable" in settings.postgres.dsn and not _is_local(settings):
        yield "[postgres] dsn speaks in plain text with another machine"
    if _place_of(settings.zerodb_next) == _place_of(settings.zerodb) != ("embedded", "", ""):
        yield "[zerodb_next] is the same store as [zerodb]"
    yield from _times(settings)


def _times(settings: Settings) -> Iterator[str]:
    zerodb, health = settings.zerodb, settings.health
    if settings.delivery.lease_s <= zerodb.timeout_s and zerodb.mode != "embedded":
        yield "[delivery] lease_s is no longer than a call to ZeroDB may take: work is done twice"
    if health.probe_timeout_s * health.failures_in_a_row > _FREE_ATTEMPTS_S:
        yield "[health] a broken ZeroDB is noticed after more than a minute"
    if settings.server.shutdown_grace_s < settings.postgres.statement_timeout_s:
        yield "[server] shutdown_grace_s is shorter than a statement may take: requests are cut off"


def _place_of(store: ZeroDB) -> tuple[str, str, str]:
    return store.mode, store.base_url, store.project_id


def _is_local(settings: Settings) -> bool:
    return settings.postgres.place.partition(":")[0].partition("/")[0] in _LOOPBACK
