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
        self._archive: dict[str, ArchiveVitals] = {}
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

    def post_leaving(self) -> None:
        """Let it be known that the daemon is about to stop."""
        self._vitals = msgspec.structs.replace(self._vitals, is_leaving=True)

    def limit_staging(self, limit_bytes: int) -> None:
        """Let this many bytes wait from now on."""
        self._vitals = msgspec.structs.replace(self._vitals, staging_limit_bytes=limit_bytes)

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

    def post_archive(self, table: str, archive: ArchiveVitals) -> None:
        """Show how replication into a table goes, together with all others."""
        self._archive[table] = archive
        whole = ArchiveVitals(
            trouble=next((one.trouble for one in self._archive.values() if one.trouble), None),
            parked=sum(one.parked for one in self._archive.values()),
            backfill=sum(one.backfill for one in self._archive.values()),
            epoch=max(one.epoch for one in self._archive.values()),
        )
        self._hang_up(msgspec.structs.replace(self._vitals, archive=whole))

    def post_pending(self, reservations: int) -> None:
        """Show how much room is promised and neither used nor given back."""
        self._vitals = msgspec.structs.replace(self._vitals, pending_reservations=reservations)

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
