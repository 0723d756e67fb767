"""The limits of all plans, in the form in which the functions of the ledger take them.

Owns the freshness: they are read from the catalogue for each statement, because a reload of the
settings changes it under a running daemon.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engarde_daemon.domain.plans import Plan


class PlanLimits:
    """One JSON object by plan for each kind of limit; iterating gives storage, then monthly."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self._plans = plans

    def __iter__(self) -> Iterator[str]:
        yield self.storage
        yield self.monthly

    @property
    def storage(self) -> str:
        """Bytes of storage."""
        return _json({name: plan.storage_bytes for name, plan in self._plans.items()})

    @property
    def monthly(self) -> str:
        """Items that may be generated in a month."""
        return _json({name: plan.monthly_items for name, plan in self._plans.items()})

    @property
    def retention(self) -> str:
        """Days for which what is not live any more is kept."""
        return _json({name: plan.retention_days for name, plan in self._plans.items()})

    @property
    def forgetting(self) -> str:
        """1 for plans whose old versions leave the archive, too."""
        return _json({name: int(plan.forgets_in_archive) for name, plan in self._plans.items()})


def _json(limits: Mapping[str, Any]) -> str:
    return msgspec.json.encode(limits).decode()
