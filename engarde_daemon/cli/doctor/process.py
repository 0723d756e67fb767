"""What can be checked of the program itself: its versions, and the daemon that runs."""

import platform
from importlib.metadata import version
from importlib.util import find_spec

from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.cli.presence import address_of, find_daemon
from engarde_daemon.config import Settings

_EXTRAS = {
    "semantic": "wordllama",
    "bigquery": "google.cloud.bigquery",
    "video": "av",
    "web": "textual_serve",
    "otel": "opentelemetry.exporter.otlp.proto.http",
}
_LAG_S = 0.5


async def check_program(settings: Settings) -> Finding:
    """Whether everything is installed that the settings ask for."""
    seen = f"engarde {version('engarde-daemon')} on Python {platform.python_version()}"
    wanted = {
        "semantic": settings.search.semantic,
        "bigquery": settings.bigquery.mode == "bigquery",
        "otel": bool(settings.telemetry.endpoint),
    }
    for extra, is_wanted in wanted.items():
        if is_wanted and not is_installed(extra):
            advice = f"The settings ask for it: pip install 'engarde-daemon[{extra}]'."
            return Finding("program", State.FAULT, f"{seen}, without the extra {extra}", advice)
    extras = ", ".join(extra for extra in _EXTRAS if is_installed(extra)) or "none"
    return Finding("program", State.OK, f"{seen}; extras: {extras}")


def is_installed(extra: str) -> bool:
    """Whether an extra's library is there; nothing is imported for it but its parents."""
    try:
        return find_spec(_EXTRAS[extra]) is not None
    except ModuleNotFoundError:
        return False


async def check_daemon(settings: Settings) -> Finding:
    """Whether a daemon runs on these settings, and how it is."""
    name, found = "daemon", await find_daemon(settings)
    if found is None:
        return Finding(name, State.OK, f"none runs on {address_of(settings)}")
    seen, installed = f"runs on {found.base_url}", version("engarde-daemon")
    if found.stuck:
        seen = f"{seen}, and these are stuck: {', '.join(found.stuck)}"
        return Finding(name, State.FAULT, seen, "Restart it, and report this with its log.")
    if found.unready is not None:
        seen = f"{seen}, but cannot promise writes: {found.unready[:200]}"
        return Finding(name, State.FAULT, seen, "What follows says which store to mend.")
    if found.version != installed:
        seen = f"{seen} as version {found.version}, while {installed} is installed"
        return Finding(name, State.WARNING, seen, "Restart it.")
    lag_s = found.value("engarde_event_loop_lag_seconds") or 0.0
    if lag_s > _LAG_S:
        seen = f"{seen}, but its event loop came {lag_s:.1f} s late"
        return Finding(name, State.WARNING, seen, "The machine is too busy, or too small for it.")
    return Finding(name, State.OK, f"{seen} and is ready")
