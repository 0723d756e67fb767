"""Those who carry everything into the archive, and the desk that asks it for figures.

Owns the one replicator for each table, all of the same pace.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from actors.replicator.actor import Replicator, ReplicatorPace
from actors.replicator.binding import Binder
from actors.replicator.cargo import Cargo, ReadyRows, Versions
from actors.replicator.messages import ReplicatorMessage, Wake
from engarde_daemon.adapters.bodies import LayeredBodies
from engarde_daemon.adapters.postgres.performance import (
    PostgresPerformanceBook,
    PostgresStagedFigures,
)
from engarde_daemon.adapters.postgres.replication import (
    PostgresDuesBook,
    PostgresReplicationBook,
)
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.api.analytics.desk import AnalyticsDesk
from engarde_daemon.api.fence import Fence
from engarde_daemon.config.stores import Replication
from engarde_daemon.core import Address, Supervisor
from engarde_daemon.daemon.board import Board
from engarde_daemon.daemon.telemetry import Instruments
from engarde_daemon.daemon.waking import wake
from engarde_daemon.ports.access import BrandDirectory
from engarde_daemon.ports.archive import Archive, ArchiveTable
from engarde_daemon.ports.replication import StreamBook

ANSWER_TIMEOUT_S = 20.0


class Archiving:
    """Adds the replicators to the tree, and gives the edge what it needs of figures."""

    def __init__(
        self,
        given: Replication,
        sessions: Sessions,
        archive: Archive,
        *,
        bodies: LayeredBodies,
        board: Board,
        rest_s: Callable[[], float],
        instruments: Instruments,
    ) -> None:
        self._given = given
        self._instruments = instruments
        self._sessions = sessions
        self._archive = archive
        self._bodies = bodies
        self._board = board
        self._rest_s = rest_s

    def add_versions(self, pipelines: Supervisor) -> Address[ReplicatorMessage]:
        """Add the one of versions."""
        book = PostgresReplicationBook(self._sessions.writers)
        cargo = Versions(book, Binder(self._bodies))
        return self._add(pipelines, "replicator", cargo, book=self._instruments.stream_book(book))

    def add_others(self, pipelines: Supervisor) -> None:
        """Add those of figures and of media rows, which lie ready."""
        book = PostgresDuesBook(self._sessions.writers)
        media, figures = (
            ReadyRows(book, table) for table in (ArchiveTable.MEDIA, ArchiveTable.ANALYTICS)
        )
        self._add(pipelines, "media_replicator", media, book=book)
        self._figures = self._add(pipelines, "figure_replicator", figures, book=book)

    def desk(self, fence: Fence, brands: BrandDirectory) -> AnalyticsDesk:
        """What the routes of analytics need; the replicator of figures was added before."""
        return AnalyticsDesk(
            book=PostgresPerformanceBook(self._sessions.writers),
            staged=PostgresStagedFigures(self._sessions.readers),
            archive=self._archive,
            brands=brands,
            fence=fence,
            wake=lambda: wake(self._figures, Wake()),
            now=lambda: datetime.now(UTC),
            timeout_s=ANSWER_TIMEOUT_S,
        )

    def _add(
        self, pipelines: Supervisor, name: str, cargo: Cargo, *, book: StreamBook
    ) -> Address[ReplicatorMessage]:
        pace = ReplicatorPace(
            batch_items=self._given.batch_items,
            batch_bytes=self._given.batch_bytes,
            lease_s=self._given.lease_s,
            poll_s=self._given.poll_s,
        )
        return pipelines.add(
            name,
            lambda: Replicator(
                book,
                self._archive,
                cargo,
                pace=pace,
                rest_s=self._rest_s,
                clock=time.monotonic,
                publish=lambda vitals: self._board.post_archive(cargo.table.value, vitals),
            ),
            capacity=1,
        )
