"""The board on which the newest vitals hang, for everyone to read without waiting."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from engarde_daemon.domain.vitals import ArchiveVitals, StoreVitals, Vitals
from engarde_daemon.ports.ledger import Drift

DRIFTS_LOGGED_MAX = 20

_LOG = structlog.get_logger("engarde.ledger")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Board:
    """Read by the edge, written by whoever looked.

    `changed` is called when the state of a store is another than before.
    """

    changed: Callable[[], None] | None = None

    def __init__(self, staging_limit_bytes: int, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._now = now
        self._vitals = Vitals(staging_limit_bytes=staging_limit_bytes)
        self._admitted_bytes = self._admitted_before_bytes = 0

    def read(self) -> Vitals:
        """The newest vitals."""
        return self._vitals

    def post(self, vitals: Vitals) -> None:
        """Hang up newer ones."""
        if vitals.postgres is None:
            self._admitted_before_bytes, self._admitted_bytes = self._admitted_bytes, 0
        self._hang_up(vitals)

    def post_stores(self, stores: Mapping[str, StoreVitals]) -> None:
        """Show how the stores outside are treated now."""
        self._hang_up(msgspec.structs.replace(self._vitals, stores=stores))

    def admit_body(self, size_bytes: int) -> bool:
        """Whether a body may be staged, by the newest look and what was admitted since.

        It errs on the safe side: what the look may already have seen, and what was delivered since,
        still counts.
        """
        admitted_bytes = self._admitted_before_bytes + self._admitted_bytes + size_bytes
        if self._vitals.staged_bytes + admitted_bytes > self._vitals.staging_limit_bytes:
            return False
        self._admitted_bytes += size_bytes
        return True

    def post_archive(self, archive: ArchiveVitals) -> None:
        """Show how replication goes."""
        self._hang_up(msgspec.structs.replace(self._vitals, archive=archive))

    def post_drift(self, drifts: Sequence[Drift]) -> None:
        """Show where the ledger is wrong, and say so in the log when that changes."""
        if drifts and self._vitals.drifting_figures != len(drifts):
            figures = [msgspec.to_builtins(drift) for drift in drifts[:DRIFTS_LOGGED_MAX]]
            _LOG.error("the quota ledger drifts", figures=figures)
        self._hang_up(msgspec.structs.replace(self._vitals, drifting_figures=len(drifts)))

    def _hang_up(self, vitals: Vitals) -> None:
        before, after = _states(self._vitals), _states(vitals)
        moved = [store for store in after if after[store] != before.get(store)]
        since = {**self._vitals.since, **dict.fromkeys(moved, self._now())}
        self._vitals = msgspec.structs.replace(vitals, since=since)
        if moved and self.changed is not None:
            self.changed()


def _states(vitals: Vitals) -> dict[str, object]:
    """What of each store is worth being told at once."""
    states: dict[str, object] = {"postgres": vitals.postgres is None}
    for name, store in vitals.stores.items():
        states[name] = (store.state, store.failures > 0)
    if "archive" in states:
        states["archive"] = (states["archive"], vitals.archive.trouble is None)
    return states
