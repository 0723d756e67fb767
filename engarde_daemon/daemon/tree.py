"""The tree of actors, with everything each of them needs.

Each line may ask only those above it; what lies below is told or not known::

    root           rest_for_one
    ├─ storage     keeps the embedded PostgreSQL alive
    ├─ ledger      promises of room
    ├─ ingest      content writes
    ├─ pipelines   one_for_one: delivery, the replicators, indexer, herald, courier, postmaster,
    │              steward, auditor, registrar, locksmith, recovery, custodian, curator,
    │              assembler, scribe,
    │              shelver, generation, foreman, importer, dispatcher, observer
    ├─ health      looks at the stores, and leaves alone those that fail
    └─ edge        HTTP: started last, stopped first
"""

import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from socket import socket
from typing import Any

import msgspec

from actors.delivery.actor import Delivery, DeliveryPace
from actors.delivery.messages import Wake as WakeDelivery
from actors.delivery.packing import Packer
from actors.edge.actor import Edge
from actors.embedder.actor import Embedder
from actors.health.messages import HealthMessage
from actors.indexer.actor import Indexer
from actors.indexer.messages import Wake as WakeIndexer
from actors.ingest.actor import Ingest
from actors.ingest.messages import IngestMessage, Written
from actors.ledger.actor import Ledger
from actors.replicator.messages import Wake as WakeReplicator
from actors.steward.actor import Steward
from actors.steward.messages import StewardMessage
from actors.storage.actor import Storage
from engarde_daemon.adapters.bodies import BodyCache, LayeredBodies
from engarde_daemon.adapters.comparing import ThreadedComparer
from engarde_daemon.adapters.likeness.store import IndexedBodyStore
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.events import PostgresEventLog
from engarde_daemon.adapters.postgres.history import PostgresHistory
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.outbox import PostgresOutbox
from engarde_daemon.adapters.postgres.performance import (
    PostgresPerformanceBook,
)
from engarde_daemon.adapters.postgres.retention import PostgresReceipts, PostgresRetention
from engarde_daemon.adapters.postgres.shelves import PostgresShelves
from engarde_daemon.adapters.postgres.tenants import PostgresTenantOffice
from engarde_daemon.api.app import AdminServices, Services, create_app
from engarde_daemon.api.bulk.desk import BulkDesk
from engarde_daemon.api.content.chronicle import Chronicle
from engarde_daemon.api.content.desk import ContentDesk
from engarde_daemon.api.content.highlights import Highlighter
from engarde_daemon.api.content.history import HistoryDesk
from engarde_daemon.api.content.trash import TrashDesk
from engarde_daemon.api.recovery.controller import RecoveryDesk
from engarde_daemon.api.transfer.controller import TransferDesk
from engarde_daemon.api.transfer.exporting import Exporter
from engarde_daemon.config import Settings
from engarde_daemon.core import (
    Address,
    HealthReport,
    RestartPolicy,
    Strategy,
    Supervisor,
)
from engarde_daemon.daemon.admission import Admission
from engarde_daemon.daemon.archiving import Archiving
from engarde_daemon.daemon.board import Board
from engarde_daemon.daemon.generating import Generating
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.importing import Importing
from engarde_daemon.daemon.lag import LoopLag
from engarde_daemon.daemon.media import MediaKeeping
from engarde_daemon.daemon.observing import Observing
from engarde_daemon.daemon.pacing import Pace, PaceRules
from engarde_daemon.daemon.reloading import Prepare
from engarde_daemon.daemon.stores import Stores
from engarde_daemon.daemon.telemetry import Instruments
from engarde_daemon.daemon.telling import Telling
from engarde_daemon.daemon.vigil import RecoveryParts, Vigil
from engarde_daemon.daemon.waking import wake
from engarde_daemon.domain.vitals import Vitals
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.likeness import LikenessIndex
from engarde_daemon.recent_log import RecentLog

WRITE_TIMEOUT_S = 20.0
SWEEP_EVERY_S = 30.0
CATCH_UP_EVERY_S = 30.0
PUBLISH_EVERY_S = 1.0
EXPIRE_EVERY_S = 1.0
CHECK_BOOKS_EVERY_S = 5.0


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """The whole tree, ready to run, and what shows how it stands."""

    root: Supervisor
    health: Callable[[], HealthReport]
    vitals: Callable[[], Vitals]
    leave: Callable[[], None]
    """Lets callers know that the daemon is about to stop."""
    watch_lag: Callable[[], Coroutine[Any, Any, None]]
    """Looks for ever how late the event loop comes."""
    prepare: Sequence[Prepare]
    """How each part takes settings that change while it runs."""


class Watching(msgspec.Struct, frozen=True, kw_only=True):
    """What looks at the daemon's work from beside it."""

    log: RecentLog
    instruments: Instruments


def plant(settings: Settings, stores: Stores, listener: socket, *, watching: Watching) -> Planted:
    """Build the whole tree."""
    planting = _Planting(settings, stores, watching)
    root = planting.tree(listener)
    return Planted(
        root=root,
        health=root.health,
        vitals=planting.board.read,
        leave=planting.board.post_leaving,
        watch_lag=planting.lag.watch,
        prepare=(planting.admission.prepare, planting.telling.prepare, planting.prepare_limits),
    )


class _Planting:
    """The parts that actors and the edge share while the tree is built."""

    def __init__(self, settings: Settings, stores: Stores, watching: Watching) -> None:
        self.settings = settings
        self.stores = stores
        self.log = watching.log
        self.instruments = watching.instruments
        self.plans = settings.catalogue()
        self.lag = LoopLag(time.monotonic)
        self.board = Board(settings.delivery.staging_limit_bytes)
        self.pace = Pace(time.monotonic, self.board.read, PaceRules())
        self.library = PostgresLibrary(stores.sessions.readers)
        self.shelves = PostgresShelves(stores.sessions.readers)
        self.outbox = PostgresOutbox(stores.sessions.writers)
        self.vigil = Vigil(settings, stores, self.board)
        self.bodies = LayeredBodies(
            BodyCache(settings.cache.body_bytes),
            self.library,
            self.vigil.zerodb,
            archive=self.vigil.archive,
            prefers_archive=self.vigil.prefers_archive,
        )
        self.store = self._store()
        self.comparer = ThreadedComparer()
        self.observing = Observing(settings, stores, self.board)
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

    def tree(self, listener: socket) -> Supervisor:
        if self.stores.server is not None:
            self._add_storage(self.stores.server)
        self._add_ledger()
        written = self._add_pipelines()
        ingest = self._add_ingest(written)
        self.root.add_supervisor(self.pipelines)
        self.admission = Admission(self.settings, self.stores.sessions, self.pipelines)
        self.media = MediaKeeping(
            self.settings,
            self.stores.sessions,
            self.pipelines,
            ledger=self.ledger,
            content=self.library,
            plans=self.plans,
        )
        steward = self._add_steward(ingest)
        self.generating = Generating(
            self.settings,
            self.stores.sessions,
            self.pipelines,
            plans=self.plans,
            box=self.telling.box,
            telling=self.telling,
            ingest=ingest,
            instruments=self.instruments,
        )
        self.importing = Importing(
            self.settings,
            self.stores.sessions,
            self.pipelines,
            media=self.media,
            telling=self.telling,
            ingest=ingest,
            library=self.library,
        )
        self.recovery = self._recovery_desk(
            self.vigil.add_health(self.root, self.outbox, self.wakes["delivery"])
        )
        self.observing.add_observer(self.pipelines, self.root.health, self.telling.news)
        self._add_edge(ingest, steward, listener)
        return self.root

    def prepare_limits(self, settings: Settings) -> Callable[[], None]:
        """Make ready for other plans and another limit of staging; to be called to take them."""
        plans, limit_bytes = settings.catalogue(), settings.delivery.staging_limit_bytes

        def commit() -> None:
            self.board.limit_staging(limit_bytes)
            self.plans.clear()  # in place: everybody who reckons with plans has this very mapping
            self.plans.update(plans)

        return commit

    def _add_storage(self, server: EmbeddedPostgres) -> None:
        self.root.add("storage", lambda: Storage(server), capacity=4)

    def _add_ledger(self) -> None:
        book = PostgresLedgerBook(self.stores.sessions.writers, self.plans)
        self.ledger = self.root.add(
            "ledger",
            lambda: Ledger(
                book,
                expire_s=EXPIRE_EVERY_S,
                check_s=CHECK_BOOKS_EVERY_S,
                drifted=self.board.post_drift,
                counted=self.board.post_pending,
            ),
            capacity=2048,
        )

    def _add_pipelines(self) -> Callable[[Sequence[Written]], None]:
        """Add those who carry on after a write, and give what tells them of one."""
        delivery = self.pipelines.add("delivery", self._delivery, capacity=1)
        self.archiving = archiving = Archiving(
            self.settings.replication,
            self.stores.sessions,
            self.vigil.archive,
            bodies=self.bodies,
            board=self.board,
            rest_s=partial(self.pace.rest_s, "bigquery"),
            instruments=self.instruments,
        )
        replicator = archiving.add_versions(self.pipelines)
        archiving.add_others(self.pipelines)
        indexer = self.pipelines.add("indexer", self._indexer, capacity=1)
        self.wakes = {
            "delivery": partial(wake, delivery, WakeDelivery()),
            "archive": partial(wake, replicator, WakeReplicator()),
            "index": partial(wake, indexer, WakeIndexer()),
        }
        if self.stores.likeness is not None:
            self._add_embedder(self.stores.likeness)
        self.telling = Telling(self.settings, self.stores.sessions, self.pipelines)

        def written(versions: Sequence[Written]) -> None:
            self.pace.note_writes(len(versions))
            for made in versions:
                if made.body is not None:
                    self.bodies.remember(made.item, made.body)
            for rouse in self.wakes.values():
                rouse()
            self.telling.written(versions)

        return written

    def _delivery(self) -> Delivery:
        given = self.settings.delivery
        pace = DeliveryPace(
            batch_items=given.batch_items,
            batches_in_flight=given.batches_in_flight,
            lease_s=given.lease_s,
            poll_s=given.poll_s,
        )
        packer = Packer(self.bodies, self.comparer)
        return Delivery(
            self.instruments.outbox(self.outbox),
            self.store,
            packer,
            pace=pace,
            rest_s=partial(self.pace.rest_s, "zerodb"),
            is_open=self.vigil.zerodb_is_open,
        )

    def _indexer(self) -> Indexer:
        return Indexer(
            self.outbox,
            poll_s=self.settings.delivery.poll_s,
            rest_s=partial(self.pace.rest_s, "search"),
        )

    def _add_embedder(self, index: LikenessIndex) -> None:
        store, rest_s = self.vigil.zerodb, partial(self.pace.rest_s, "zerodb")
        self.pipelines.add(
            "embedder",
            lambda: Embedder(store, index, rest_s=rest_s, retry_s=CATCH_UP_EVERY_S),
            capacity=1,
        )

    def _add_ingest(self, written: Callable[[Sequence[Written]], None]) -> Address[IngestMessage]:
        log = self.instruments.content_log(
            PostgresContentLog(self.stores.sessions.writers, self.plans)
        )
        return self.root.add(
            "ingest",
            lambda: Ingest(
                log,
                now=lambda: datetime.now(UTC),
                new_id=new_id,
                written=written,
                admit_body=self.board.admit_body,
            ),
            capacity=1024,
        )

    def _add_steward(self, ingest: Address[IngestMessage]) -> Address[StewardMessage]:
        retention = PostgresRetention(self.stores.sessions.writers, self.plans)
        return self.pipelines.add(
            "steward",
            lambda: Steward(
                housekeeping=self.outbox,
                retention=retention,
                figures=PostgresPerformanceBook(self.stores.sessions.writers),
                events=PostgresEventLog(self.stores.sessions.writers),
                event_days=self.settings.events.retention_days,
                store=self.store,
                archive=self.vigil.archive,
                ingest=ingest,
                new_id=new_id,
                now=lambda: datetime.now(UTC),
                sweep_every_s=SWEEP_EVERY_S,
                publish_every_s=PUBLISH_EVERY_S,
            ),
            capacity=64,
        )

    def _recovery_desk(self, health: Address[HealthMessage]) -> RecoveryDesk:
        parts = RecoveryParts(
            staged=self.library, comparer=self.comparer, rest_s=partial(self.pace.rest_s, "zerodb")
        )
        self.restorer = self.vigil.add_recovery(self.pipelines, parts)
        return RecoveryDesk(
            recovery=self.restorer,
            health=health,
            vitals=self.board.read,
            now=lambda: datetime.now(UTC),
            timeout_s=WRITE_TIMEOUT_S,
        )

    def _bulk(self, ingest: Address[IngestMessage]) -> BulkDesk:
        fence = self.admission.fence
        return BulkDesk(ingest, self.library, fence=fence, write_timeout_s=WRITE_TIMEOUT_S)

    def _transfer(self, ingest: Address[IngestMessage]) -> TransferDesk:
        return TransferDesk(
            ingest=ingest,
            shelves=self.shelves,
            exporter=Exporter(self.shelves, self.bodies),
            fence=self.admission.fence,
            now=lambda: datetime.now(UTC),
            line_bytes_max=self.settings.server.max_body_bytes,
            write_timeout_s=WRITE_TIMEOUT_S,
        )

    def _history(self, ingest: Address[IngestMessage]) -> HistoryDesk:
        return HistoryDesk(
            ingest=ingest,
            library=PostgresHistory(self.stores.sessions.readers),
            chronicle=Chronicle(self.vigil.zerodb, self.bodies, self.comparer),
            bodies=self.bodies,
            timeout_s=WRITE_TIMEOUT_S,
        )

    def _admin(self) -> AdminServices:
        office = PostgresTenantOffice(self.stores.sessions.writers, self.plans)
        authenticate = self.admission.doorman.authenticate
        return AdminServices(
            steering=self.root,
            tenants=office,
            overview=self.observing.desk(self.telling.hub, authenticate, wakes=self.wakes),
            jobs=self.observing.job_steering(
                foreman=self.generating.foreman,
                dispatcher=self.importing.dispatcher,
                recovery=self.restorer,
            ),
            log=self.log,
            traffic=self.observing.traffic,
            ledger=self.ledger,
        )

    def _add_edge(
        self, ingest: Address[IngestMessage], steward: Address[StewardMessage], listener: socket
    ) -> None:
        server = self.settings.server
        desk = ContentDesk(
            ingest,
            self.library,
            self.bodies,
            fence=self.admission.fence,
            highlighter=Highlighter(self.shelves, self.bodies),
            media=self.admission.media,
            likeness=self.stores.likeness,
            write_timeout_s=WRITE_TIMEOUT_S,
        )
        trash = TrashDesk(
            ingest=ingest,
            steward=steward,
            bodies=self.bodies,
            receipts=PostgresReceipts(self.stores.sessions.readers),
            new_id=new_id,
            timeout_s=WRITE_TIMEOUT_S,
        )
        app = create_app(
            Services(
                desk=desk,
                bulk=self._bulk(ingest),
                transfer=self._transfer(ingest),
                trash=trash,
                history=self._history(ingest),
                media=self.media.desk(self.admission.fence),
                resuming=self.media.resuming_desk(self.admission.fence),
                analytics=self.archiving.desk(self.admission.fence, self.admission.register),
                library=self.library,
                plans=self.plans,
                access=self.admission.services(),
                telling=self.telling.services(self.admission.doorman.authenticate),
                generation=self.generating.services(
                    self.admission.fence, self.admission.register, self.library
                ),
                imports=self.importing.desk(self.admission.fence, self.admission.register),
                admin=self._admin(),
                recovery=self.recovery,
                health=self.root.health,
                vitals=self.board.read,
                pools=self.stores.sessions.usage,
                loop_lag_s=self.lag.read,
                clock=time.perf_counter,
                version=version("engarde-daemon"),
                max_body_bytes=server.max_body_bytes,
            )
        )
        edge, grace_s = self.instruments.edge(app), server.shutdown_grace_s
        self.root.add(
            "edge",
            lambda: Edge(edge, listener, streams=self.telling.hub, grace_s=grace_s),
            capacity=1,
            grace_s=grace_s + 5,
        )
