"""Everything between a campaign and its content, put together from the settings."""

import random
import time
from datetime import UTC, datetime

from actors.dispatcher.actor import Dispatcher
from actors.importer.actor import Importer, ImporterPace
from actors.importer.errand import Errand
from actors.importer.estimating import Estimator
from actors.importer.figuring import FigureTaker
from actors.importer.files import FileTaker
from actors.importer.keys import PlatformKeys
from actors.importer.messages import Look
from actors.importer.taking import AssetTaker
from actors.ingest.messages import IngestMessage
from engarde_daemon.adapters.http import Gate, open_client
from engarde_daemon.adapters.http.download import REDIRECTS_MAX, GuardedDownloads
from engarde_daemon.adapters.platforms.house import HouseOfPlatforms, Sites
from engarde_daemon.adapters.postgres.importing import (
    PostgresImportBench,
    PostgresImportBook,
    PostgresImportLibrary,
)
from engarde_daemon.adapters.postgres.performance import PostgresPerformanceBook
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.imports.desk import ImportDesk
from engarde_daemon.api.imports.receiving import Receiver
from engarde_daemon.config import Settings
from engarde_daemon.core import Address, Supervisor
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.media import MediaKeeping
from engarde_daemon.daemon.telling import Telling
from engarde_daemon.daemon.waking import wake
from engarde_daemon.ports.content import ContentLibrary
from engarde_daemon.ports.register import RegisterReader

WRITE_TIMEOUT_S = 20.0


class Importing:
    """Adds the actors of imports to the tree, and gives the edge what it needs of them."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        pipelines: Supervisor,
        *,
        media: MediaKeeping,
        telling: Telling,
        ingest: Address[IngestMessage],
        library: ContentLibrary,
    ) -> None:
        self._settings = settings
        self._media = media
        self._telling = telling
        self._ingest = ingest
        self._content = library
        self._bench = PostgresImportBench(sessions.writers)
        self._performance = PostgresPerformanceBook(sessions.writers)
        self._book = PostgresImportBook(sessions.writers)
        self._library = PostgresImportLibrary(sessions.readers)
        self._importer = pipelines.add(
            "importer", self._make_importer, capacity=8, grace_s=ImporterPace().grace_s + 5
        )
        self.dispatcher = pipelines.add("dispatcher", self._make_dispatcher, capacity=64)

    def desk(self, fence: Fence, register: RegisterReader) -> ImportDesk:
        """What serves the routes of imports."""
        given = self._settings.imports
        house = self._house(connections=given.assets_in_parallel)
        return ImportDesk(
            dispatcher=self.dispatcher,
            library=self._library,
            register=register,
            estimator=Estimator(
                PlatformKeys(self._bench, self._telling.box, house),
                self._library,
                patience_s=given.estimate_s,
            ),
            receiver=Receiver(
                self.dispatcher,
                bytes_max=given.export_bytes_max,
                rows_max=given.export_rows_max,
                timeout_s=WRITE_TIMEOUT_S,
                now=lambda: datetime.now(UTC),
            ),
            fence=fence,
            new_id=new_id,
            timeout_s=WRITE_TIMEOUT_S,
        )

    def _make_importer(self) -> Importer:
        given = self._settings.imports
        house = self._house(connections=given.assets_in_parallel)
        keys = PlatformKeys(self._bench, self._telling.box, house)
        gate = self._telling.gate
        client = open_client(
            gate, connections=given.assets_in_parallel, redirects_max=REDIRECTS_MAX
        )
        source = GuardedDownloads(
            client,
            gate,
            timeout_s=given.download_timeout_s,
            bytes_max=self._settings.media.file_bytes_max,
        )
        files = FileTaker(
            self._bench, keys, source=source, intake=self._media.intake_with(given.lease_s)
        )
        errand = Errand(
            self._bench,
            keys,
            taker=AssetTaker(files, self._ingest, self._content),
            figures=FigureTaker(self._bench, keys, self._performance),
            places=given.assets_in_parallel,
            poll_s=given.poll_s,
            random=random.random,
        )
        return Importer(
            self._bench,
            errand,
            [house.close, client.aclose],
            happened=self._telling.happened,
            pace=ImporterPace(
                imports=given.in_parallel, lease_s=given.lease_s, poll_s=given.poll_s
            ),
        )

    def _make_dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self._book,
            imports_max=self._settings.imports.per_tenant_max,
            changed=lambda: wake(self._importer, Look()),
        )

    def _house(self, *, connections: int) -> HouseOfPlatforms:
        own = open_client(Gate(allow_private=True), connections=connections)
        google, meta = self._settings.ads.google_ads, self._settings.ads.meta
        sites = Sites(
            google_ads_url=f"{google.base_url}/{google.api_version}",
            google_token_url=google.token_url,
            google_timeout_s=google.timeout_s,
            meta_url=f"{meta.base_url}/{meta.api_version}",
            meta_timeout_s=meta.timeout_s,
            report_wait_s=self._settings.imports.poll_s,
        )
        return HouseOfPlatforms(own, sites, clock=time.monotonic)
