"""The parts that actors and the edge share, made before any of them runs."""

import time
from collections.abc import Callable

import msgspec

from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.comparing import ThreadedComparer
from engarde_daemon.adapters.likeness.store import IndexedBodyStore
from engarde_daemon.adapters.places import LANES, LANES_WITHIN
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.shelves import PostgresShelves
from engarde_daemon.config import Settings
from engarde_daemon.core import RestartPolicy, Strategy, Supervisor
from engarde_daemon.daemon.board import Board
from engarde_daemon.daemon.lag import LoopLag
from engarde_daemon.daemon.observing import Observing
from engarde_daemon.daemon.pacing import Pace, PaceRules
from engarde_daemon.daemon.stores import Stores
from engarde_daemon.daemon.telemetry import Instruments
from engarde_daemon.daemon.vigil import Vigil
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.recent_log import RecentLog


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """What looks at the daemon's work from beside it."""

    log: RecentLog
    instruments: Instruments


class Parts:
    """What the daemon is put together from."""

    def __init__(self, settings: Settings, stores: Stores, watching: Watching) -> None:
        self.settings = settings
        self.stores = stores
        self.log = watching.log
        self.instruments = watching.instruments
        self.plans = settings.catalogue()
        self.lag = LoopLag(time.monotonic)
        self.board = Board(settings.delivery.staging_limit_bytes)
        self.library = PostgresLibrary(
            stores.sessions.readers, patience_s=settings.postgres.request_timeout_s
        )
        self.shelves = PostgresShelves(stores.sessions.readers)
        self.outbox = PostgresOutbox(stores.sessions.writers)
        self.vigil = Vigil(settings, stores, self.board)
        self.bodies = LayeredBodies(
            BodyCache(settings.cache.body_bytes),
            self.library,
            self.vigil.zerodb,
            archive=self.vigil.archive,
            prefers_archive=self.vigil.prefers_archive,
            store_lanes=LANES_WITHIN if settings.zerodb.mode == "embedded" else LANES,
        )
        self.store = self._store()
        self.comparer = ThreadedComparer()
        self.observing = Observing(settings, stores, self.board, plans=self.plans)
        self.pace = Pace(
            time.monotonic,
            vitals=self.board.read,
            reads=self.observing.traffic.reads,
            rules=PaceRules(),
        )
        self.root = Supervisor(
            "root",
            Strategy.REST_FOR_ONE,
            RestartPolicy(intensity=3, period_s=60.0),
            report=self.observing.report,
        )
        self.pipelines = Supervisor(
            "pipelines", Strategy.ONE_FOR_ONE, RestartPolicy(intensity=10, period_s=60.0)
        )

    def _store(self) -> BodyStore:
        """Where bodies are put, and beside them the index of likeness where there is one."""
        if self.stores.likeness is None:
            return self.vigil.zerodb
        return IndexedBodyStore(self.vigil.zerodb, self.stores.likeness)

    def prepare_limits(self, settings: Settings) -> Callable[[], None]:
        """Make ready for other plans and another limit of staging; to be called to take them."""
        plans, limit_bytes = settings.catalogue(), settings.delivery.staging_limit_bytes

        def commit() -> None:
            self.board.limit_staging(limit_bytes)
            self.plans.clear()  # in place: everybody who reckons with plans has this very mapping
            self.plans.update(plans)

        return commit
