"""What the edge serves: each area of the API with the actors and readers that it needs."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version

import msgspec
from litestar.types import ASGIApp

from actors.health.messages import HealthMessage
from actors.ingest.messages import IngestMessage
from actors.ledger.messages import LedgerMessage
from actors.recovery.messages import RecoveryMessage
from actors.steward.messages import StewardMessage
from engarde_daemon.adapters.postgres.history import PostgresHistory
from engarde_daemon.adapters.postgres.retention import PostgresReceipts
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
from engarde_daemon.core import Address
from engarde_daemon.daemon.admission import Admission
from engarde_daemon.daemon.archiving import Archiving
from engarde_daemon.daemon.generating import Generating
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.importing import Importing
from engarde_daemon.daemon.media import MediaKeeping
from engarde_daemon.daemon.parts import Parts
from engarde_daemon.daemon.telling import Telling

WRITE_TIMEOUT_S = 20.0


class Areas(msgspec.Struct, frozen=True, kw_only=True):
    """What was planted before the edge, as far as it is served."""

    ingest: Address[IngestMessage]
    steward: Address[StewardMessage]
    ledger: Address[LedgerMessage]
    health: Address[HealthMessage]
    restorer: Address[RecoveryMessage]
    admission: Admission
    media: MediaKeeping
    archiving: Archiving
    telling: Telling
    generating: Generating
    importing: Importing
    wakes: Mapping[str, Callable[[], None]]


class Serving:
    """Makes the application."""

    def __init__(self, parts: Parts, areas: Areas) -> None:
        self._parts = parts
        self._areas = areas

    def application(self) -> ASGIApp:
        """The whole API."""
        parts, areas = self._parts, self._areas
        fence, register = areas.admission.fence, areas.admission.register
        return create_app(
            Services(
                desk=self._content(),
                bulk=self._bulk(),
                transfer=self._transfer(),
                trash=self._trash(),
                history=self._history(),
                media=areas.media.desk(fence),
                resuming=areas.media.resuming_desk(fence),
                analytics=areas.archiving.desk(fence, register),
                library=parts.library,
                plans=parts.plans,
                access=areas.admission.services(),
                telling=areas.telling.services(areas.admission.doorman.authenticate),
                generation=areas.generating.services(fence, register, parts.library),
                imports=areas.importing.desk(fence, register),
                admin=self._admin(),
                recovery=self._recovery(),
                health=parts.root.health,
                vitals=parts.board.read,
                pools=parts.stores.sessions.usage,
                loop_lag_s=parts.lag.read,
                clock=time.perf_counter,
                version=version("engarde-daemon"),
                max_body_bytes=parts.settings.server.max_body_bytes,
            )
        )

    def _content(self) -> ContentDesk:
        return ContentDesk(
            self._areas.ingest,
            self._parts.library,
            self._parts.bodies,
            fence=self._areas.admission.fence,
            highlighter=Highlighter(self._parts.shelves, self._parts.bodies),
            media=self._areas.admission.media,
            likeness=self._parts.stores.likeness,
            write_timeout_s=self._parts.settings.postgres.request_timeout_s,
        )

    def _trash(self) -> TrashDesk:
        return TrashDesk(
            ingest=self._areas.ingest,
            steward=self._areas.steward,
            bodies=self._parts.bodies,
            receipts=PostgresReceipts(self._parts.stores.sessions.readers),
            new_id=new_id,
            timeout_s=WRITE_TIMEOUT_S,
        )

    def _recovery(self) -> RecoveryDesk:
        return RecoveryDesk(
            recovery=self._areas.restorer,
            health=self._areas.health,
            vitals=self._parts.board.read,
            now=lambda: datetime.now(UTC),
            timeout_s=WRITE_TIMEOUT_S,
        )

    def _bulk(self) -> BulkDesk:
        fence = self._areas.admission.fence
        return BulkDesk(
            self._areas.ingest, self._parts.library, fence=fence, write_timeout_s=WRITE_TIMEOUT_S
        )

    def _transfer(self) -> TransferDesk:
        return TransferDesk(
            ingest=self._areas.ingest,
            shelves=self._parts.shelves,
            exporter=Exporter(self._parts.shelves, self._parts.bodies),
            fence=self._areas.admission.fence,
            now=lambda: datetime.now(UTC),
            line_bytes_max=self._parts.settings.server.max_body_bytes,
            write_timeout_s=WRITE_TIMEOUT_S,
        )

    def _history(self) -> HistoryDesk:
        return HistoryDesk(
            ingest=self._areas.ingest,
            library=PostgresHistory(self._parts.stores.sessions.readers),
            chronicle=Chronicle(self._parts.vigil.zerodb, self._parts.bodies, self._parts.comparer),
            bodies=self._parts.bodies,
            timeout_s=WRITE_TIMEOUT_S,
        )

    def _admin(self) -> AdminServices:
        office = PostgresTenantOffice(self._parts.stores.sessions.writers, self._parts.plans)
        authenticate = self._areas.admission.doorman.authenticate
        return AdminServices(
            steering=self._parts.root,
            tenants=office,
            overview=self._parts.observing.desk(
                self._areas.telling.hub, authenticate, wakes=self._areas.wakes
            ),
            jobs=self._parts.observing.job_steering(
                foreman=self._areas.generating.foreman,
                dispatcher=self._areas.importing.dispatcher,
                recovery=self._areas.restorer,
            ),
            log=self._parts.log,
            traffic=self._parts.observing.traffic,
            ledger=self._areas.ledger,
        )
