"""What a tenant's plan allows, and how full it is.

Owns the two numbers that every refusal rests on: one GB is 1024³ bytes, and a write fits as long
as what would be used does not pass the limit. `None` is the limit of a plan that has none.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

GB = 1024**3
FREE = "free"

_WARNING_PERCENT = 70
_CRITICAL_PERCENT = 85


class Level(StrEnum):
    """How full a plan is, in words that a user interface colours."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    EXCEEDED = "exceeded"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one tier allows its tenants."""

    name: str
    storage_bytes: int | None
    retention_days: int | None
    monthly_items: int | None
    forgets_in_archive: bool = False


def plan_named(name: str, plans: Mapping[str, Plan]) -> Plan:
    """The plan of that name; a name nobody configured gets what `free` allows."""
    return plans.get(name) or plans[FREE]


def level(used: int, limit: int | None) -> Level:
    """How full a limit is; above it only after the limit was lowered under the usage."""
    if limit is None or used * 100 < limit * _WARNING_PERCENT:
        return Level.NORMAL
    if used * 100 < limit * _CRITICAL_PERCENT:
        return Level.WARNING
    return Level.CRITICAL if used <= limit else Level.EXCEEDED


def fits(projected: int, limit: int | None) -> bool:
    """Whether the projected use stays within the limit; the last byte of it may be used."""
    return limit is None or projected <= limit


def upgrade_suggestion(plan: Plan, plans: Iterable[Plan], needed_bytes: int) -> str | None:
    """Name the smallest larger plan that would hold the needed bytes, if there is one."""
    larger = [
        other
        for other in plans
        if _room(other) > _room(plan) and fits(needed_bytes, other.storage_bytes)
    ]
    if not larger:
        return None
    best = min(larger, key=lambda other: (_room(other), other.name))
    return f"Upgrade to {_title(best.name)} plan for {storage_phrase(best.storage_bytes)} storage"


def storage_phrase(storage_bytes: int | None) -> str:
    """A storage limit as people say it."""
    return "unlimited" if storage_bytes is None else f"{storage_bytes / GB:.12g} GB"


def _room(plan: Plan) -> float:
    return float("inf") if plan.storage_bytes is None else plan.storage_bytes


def _title(name: str) -> str:
    return name.replace("_", " ").title()
