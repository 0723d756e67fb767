"""The tree of actors, with everything each of them needs.

Each line may ask only those above it; what lies below is told or not known::

    root           rest_for_one
    ├─ storage     keeps the embedded PostgreSQL alive
    ├─ ledger      promises of room
    ├─ ingest      content writes
    ├─ pipelines   one_for_one: delivery, the replicators, indexer, embedder, herald, courier,
    │              postmaster, steward, auditor, registrar, locksmith, recovery, custodian,
    │              curator, assembler, scribe, shelver, generation, forwarder, examiner, foreman,
    │              importer, dispatcher, observer
    ├─ health      looks at the stores, and leaves alone those that fail
    └─ edge        HTTP: started last, stopped first
"""

import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from socket import socket
from typing import Any

import msgspec
from litestar.types import ASGIApp

from actors.delivery.actor import Delivery
from actors.delivery.messages import Wake as WakeDelivery
from actors.delivery.packing import Packer
from actors.edge.actor import Edge
from actors.embedder.actor import Embedder
from actors.indexer.actor import Indexer
from actors.indexer.messages import Wake as WakeIndexer
from actors.ingest.actor import Ingest
from actors.ingest.messages import IngestMessage, Written
from actors.ledger.actor import Ledger
from actors.ledger.messages import LedgerMessage
from actors.recovery.messages import RecoveryMessage
from actors.replicator.messages import Wake as WakeReplicator
from actors.steward.actor import Steward
from actors.steward.messages import StewardMessage
from actors.storage.actor import Storage
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.events import PostgresEventLog
from engarde_daemon.adapters.postgres.ledger import PostgresLedgerBook
from engarde_daemon.adapters.postgres.performance import (
    PostgresPerformanceBook,
)
from engarde_daemon.adapters.postgres.retention import PostgresRetention
from engarde_daemon.config import Settings
from engarde_daemon.core import (
    Address,
    HealthReport,
    Supervisor,
)
from engarde_daemon.daemon.admission import Admission
from engarde_daemon.daemon.archiving import Archiving
from engarde_daemon.daemon.batching import delivery_pace
from engarde_daemon.daemon.generating import Generating
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.importing import Importing
from engarde_daemon.daemon.media import MediaKeeping
from engarde_daemon.daemon.parts import Parts, Watching
from engarde_daemon.daemon.reloading import Prepare
from engarde_daemon.daemon.serving import Areas, Serving
from engarde_daemon.daemon.stores import Stores
from engarde_daemon.daemon.telling import Telling
from engarde_daemon.daemon.vigil import RecoveryParts
from engarde_daemon.daemon.waking import wake
from engarde_daemon.domain.vitals import Vitals
from engarde_daemon.ports.likeness import LikenessIndex

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


def plant(settings: Settings, stores: Stores, listener: socket, *, watching: Watching) -> Planted:
    """Build the whole tree."""
    parts = Parts(settings, stores, watching)
    areas = _Planting(parts).plant(listener)
    return Planted(
        root=parts.root,
        health=parts.root.health,
        vitals=parts.board.read,
        leave=parts.board.post_leaving,
        watch_lag=parts.lag.watch,
        prepare=(areas.admission.prepare, areas.telling.prepare, parts.prepare_limits),
    )


class _Planting:
    """Adds the actors, from what others need to what needs others."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._settings, self._stores = parts.settings, parts.stores
        self._root, self._pipelines = parts.root, parts.pipelines

    def plant(self, listener: socket) -> Areas:
        if self._stores.server is not None:
            self._add_storage(self._stores.server)
        ledger = self._add_ledger()
        self._add_pipelines()
        ingest = self._add_ingest()
        self._root.add_supervisor(self._pipelines)
        areas = self._areas(ledger, ingest)
        parts = self._parts
        parts.observing.add_observer(self._pipelines, self._root.health, self._telling.news)
        self._add_edge(Serving(parts, areas).application(), listener)
        return areas

    def _areas(self, ledger: Address[LedgerMessage], ingest: Address[IngestMessage]) -> Areas:
        parts, sessions = self._parts, self._stores.sessions
        admission = Admission(self._settings, sessions, self._pipelines)
        media = MediaKeeping(
            self._settings,
            sessions,
            self._pipelines,
            ledger=ledger,
            content=parts.library,
            plans=parts.plans,
        )
        steward = self._add_steward(ingest)
        generating = Generating(
            self._settings,
            sessions,
            self._pipelines,
            plans=parts.plans,
            box=self._telling.box,
            telling=self._telling,
            ingest=ingest,
            instruments=parts.instruments,
        )
        importing = Importing(
            self._settings,
            sessions,
            self._pipelines,
            media=media,
            telling=self._telling,
            ingest=ingest,
            library=parts.library,
        )
        return Areas(
            ingest=ingest,
            steward=steward,
            ledger=ledger,
            health=parts.vigil.add_health(self._root, parts.outbox, self._wakes["delivery"]),
            restorer=self._add_recovery(),
            admission=admission,
            media=media,
            archiving=self._archiving,
            telling=self._telling,
            generating=generating,
            importing=importing,
            wakes=self._wakes,
        )

    def _add_storage(self, server: EmbeddedPostgres) -> None:
        self._root.add("storage", lambda: Storage(server), capacity=4)

    def _add_ledger(self) -> Address[LedgerMessage]:
        book = PostgresLedgerBook(self._stores.sessions.foreground, self._parts.plans)
        return self._root.add(
            "ledger",
            lambda: Ledger(
                book,
                plans=self._parts.plans,
                expire_s=EXPIRE_EVERY_S,
                check_s=CHECK_BOOKS_EVERY_S,
                clock=time.monotonic,
                drifted=self._parts.board.post_drift,
                counted=self._parts.board.post_pending,
            ),
            capacity=2048,
        )

    def _add_pipelines(self) -> None:
        """Add those who carry on after a write."""
        delivery = self._pipelines.add("delivery", self._delivery, capacity=1)
        self._archiving = archiving = Archiving(
            self._settings.replication,
            self._stores.sessions,
            self._parts.vigil.archive,
            bodies=self._parts.bodies,
            board=self._parts.board,
            rest_s=partial(self._parts.pace.rest_s, "bigquery"),
            instruments=self._parts.instruments,
        )
        replicator = archiving.add_versions(self._pipelines)
        archiving.add_others(self._pipelines)
        indexer = self._pipelines.add("indexer", self._indexer, capacity=1)
        self._wakes = {
            "delivery": partial(wake, delivery, WakeDelivery()),
            "archive": partial(wake, replicator, WakeReplicator()),
            "index": partial(wake, indexer, WakeIndexer()),
        }
        if self._stores.likeness is not None:
            self._add_embedder(self._stores.likeness)
        self._telling = Telling(self._settings, self._stores.sessions, self._pipelines)

    def _written(self, versions: Sequence[Written]) -> None:
        """Tell those who carry on that there is something."""
        self._parts.pace.note_writes(len(versions))
        for made in versions:
            if made.body is not None:
                self._parts.bodies.remember(made.item, made.body)
        for rouse in self._wakes.values():
            rouse()
        self._telling.written(versions)

    def _delivery(self) -> Delivery:
        packer = Packer(self._parts.bodies, self._parts.comparer)
        return Delivery(
            self._parts.instruments.outbox(self._parts.outbox),
            self._parts.store,
            packer,
            pace=delivery_pace(self._settings.delivery, self._settings.zerodb.mode),
            rest_s=partial(self._parts.pace.rest_s, "zerodb"),
            is_open=self._parts.vigil.zerodb_is_open,
        )

    def _indexer(self) -> Indexer:
        return Indexer(
            self._parts.outbox,
            poll_s=self._settings.delivery.poll_s,
            rest_s=partial(self._parts.pace.rest_s, "search"),
        )

    def _add_embedder(self, index: LikenessIndex) -> None:
        store, rest_s = self._parts.vigil.zerodb, partial(self._parts.pace.rest_s, "zerodb")
        self._pipelines.add(
            "embedder",
            lambda: Embedder(store, index, rest_s=rest_s, retry_s=CATCH_UP_EVERY_S),
            capacity=1,
        )

    def _add_ingest(self) -> Address[IngestMessage]:
        log = self._parts.instruments.content_log(
            PostgresContentLog(self._stores.sessions.foreground, self._parts.plans)
        )
        return self._root.add(
            "ingest",
            lambda: Ingest(
                log,
                now=lambda: datetime.now(UTC),
                new_id=new_id,
                written=self._written,
                admit_body=self._parts.board.admit_body,
            ),
            capacity=1024,
        )

    def _add_steward(self, ingest: Address[IngestMessage]) -> Address[StewardMessage]:
        retention = PostgresRetention(self._stores.sessions.writers, self._parts.plans)
        return self._pipelines.add(
            "steward",
            lambda: Steward(
                housekeeping=self._parts.outbox,
                retention=retention,
                figures=PostgresPerformanceBook(self._stores.sessions.writers),
                events=PostgresEventLog(self._stores.sessions.writers),
                event_days=self._settings.events.retention_days,
                store=self._parts.store,
                archive=self._parts.vigil.archive,
                ingest=ingest,
                new_id=new_id,
                now=lambda: datetime.now(UTC),
                sweep_every_s=SWEEP_EVERY_S,
                publish_every_s=PUBLISH_EVERY_S,
            ),
            capacity=64,
        )

    def _add_recovery(self) -> Address[RecoveryMessage]:
        parts = self._parts
        return parts.vigil.add_recovery(
            self._pipelines,
            RecoveryParts(
                staged=parts.library,
                comparer=parts.comparer,
                rest_s=partial(parts.pace.rest_s, "zerodb"),
            ),
        )

    def _add_edge(self, app: ASGIApp, listener: socket) -> None:
        edge, given = self._parts.instruments.edge(app), self._settings.server
        self._root.add(
            "edge",
            lambda: Edge(
                edge,
                listener,
                streams=self._telling.hub,
                grace_s=given.shutdown_grace_s,
                stall_s=given.send_stall_s,
            ),
            capacity=1,
            grace_s=given.shutdown_grace_s + 5,
        )
