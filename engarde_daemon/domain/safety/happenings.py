"""What happened, in words for operators: actors, stores, tenants.

Owns the rule that what a tenant keeps is never told: of content its id and version, of a plan its
figures.
"""

from datetime import datetime
from typing import Any

import msgspec

from engarde_daemon.core.health import EventKind, KernelEvent
from engarde_daemon.core.health import describe as describe_error
from engarde_daemon.protocol import FeedEvent, Severity, StoreView

TOLD_BY_STORES = frozenset({"recovery.state_changed"})
"""Events of which every daemon tells by what it sees itself."""

_GRAVE = frozenset(
    {EventKind.CRASHED, EventKind.RESTARTING, EventKind.POISONED, EventKind.ABANDONED}
)
_SEVERITIES = {
    "quota.warning": Severity.WARNING,
    "quota.critical": Severity.WARNING,
    "quota.exceeded": Severity.FAULT,
    "generation.failed": Severity.WARNING,
    "import.failed": Severity.WARNING,
    "recovery.failed": Severity.FAULT,
    "webhook.disabled": Severity.WARNING,
}


def actor_event(event: KernelEvent, at: datetime) -> FeedEvent:
    """What a supervisor reports."""
    name = event.path.rpartition("/")[2]
    text = f"{name} {event.kind.value}"
    if event.error is not None:
        text += f": {describe_error(event.error)}"
    if event.kind is EventKind.RESTARTING:
        text += f" in {event.delay_s:.1f} s"
    if event.messages:
        text += f": {event.messages} not done"
    return FeedEvent(
        at=at,
        source="actors",
        type=f"actor.{event.kind.value}",
        severity=Severity.WARNING if event.kind in _GRAVE else Severity.OK,
        text=text,
        subject=event.path,
    )


def store_event(before: StoreView | None, now: StoreView, at: datetime) -> FeedEvent | None:
    """What there is to tell of a store since it was last looked at; None where it is as before."""
    if before is None and now.severity is Severity.OK:
        return None
    if before is not None and (before.state, before.severity) == (now.state, now.severity):
        return None
    words = " ".join(filter(None, (f"{now.title} is {now.state}.", now.cause, now.effect)))
    return FeedEvent(
        at=at,
        source="stores",
        type=f"store.{now.state}",
        severity=now.severity,
        text=words.replace("_", " "),
        subject=now.name,
    )


def tenant_text(type_: str, version: int | None, data: str | None) -> str:
    """What happened to a tenant, in one line."""
    said = type_.replace(".", " ").replace("_", " ")
    if type_.startswith("content.") and version is not None:
        return f"{said}, version {version}"
    if type_.startswith("quota."):
        told = _figures(data)
        return f"{said}: {told.get('usage_percent')} % of {told.get('plan_tier')} is in use"
    return said


def tenant_severity(type_: str) -> Severity:
    """How grave an event of a tenant is for whoever runs the daemon."""
    return _SEVERITIES.get(type_, Severity.OK)


def _figures(data: str | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data or "{}", type=dict[str, Any])
    except msgspec.DecodeError:  # cut off, because it was long
        return {}
