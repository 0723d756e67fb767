"""The board on which the newest vitals hang, for everyone to read without waiting."""

from collections.abc import Sequence

import msgspec
import structlog

from engarde_daemon.domain.vitals import ArchiveVitals, Vitals
from engarde_daemon.ports.ledger import Drift

DRIFTS_LOGGED_MAX = 20

_LOG = structlog.get_logger("engarde.ledger")


class Board:
    """Read by the edge, written by whoever looked."""

    def __init__(self, staging_limit_bytes: int) -> None:
        self._vitals = Vitals(staging_limit_bytes=staging_limit_bytes)

    def read(self) -> Vitals:
        """The newest vitals."""
        return self._vitals

    def post(self, vitals: Vitals) -> None:
        """Hang up newer ones."""
        self._vitals = vitals

    def post_archive(self, archive: ArchiveVitals) -> None:
        """Show how replication goes."""
        self._vitals = msgspec.structs.replace(self._vitals, archive=archive)

    def post_drift(self, drifts: Sequence[Drift]) -> None:
        """Show where the ledger is wrong, and say so in the log when that changes."""
        if drifts and self._vitals.drifting_figures != len(drifts):
            figures = [msgspec.to_builtins(drift) for drift in drifts[:DRIFTS_LOGGED_MAX]]
            _LOG.error("the quota ledger drifts", figures=figures)
        self._vitals = msgspec.structs.replace(self._vitals, drifting_figures=len(drifts))
