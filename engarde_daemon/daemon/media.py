"""Everything between a media file and its bytes, put together from the settings."""

import shutil
import time
from collections.abc import Mapping

from actors.assembler.actor import Assembler
from actors.curator.actor import Curator, CuratorPace
from actors.curator.messages import Wake
from actors.custodian.actor import Custodian
from actors.custodian.intake import Intake, IntakeRules
from actors.custodian.resumption import Resumption, ResumptionRules
from actors.ledger.messages import LedgerMessage
from engarde_daemon.adapters.media.examining import ExaminationLimits, ProcessExaminer
from engarde_daemon.adapters.media.opening import open_media_store
from engarde_daemon.adapters.media.sniffing import sniff
from engarde_daemon.adapters.postgres.media import PostgresMediaBook, PostgresMediaLibrary
from engarde_daemon.adapters.postgres.resuming import (
    PostgresResumableBook,
    PostgresResumableLibrary,
)
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.media.desk import MediaDesk
from engarde_daemon.api.media.resuming import ResumingDesk
from engarde_daemon.config import Settings
from engarde_daemon.core import Address, Supervisor
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.waking import wake
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.content import ContentLibrary

WRITE_TIMEOUT_S = 20.0
UPLOAD_LEASE_S = 120.0


class MediaKeeping:
    """Adds the actors of media to the tree, and gives the edge what it needs of them."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        pipelines: Supervisor,
        *,
        ledger: Address[LedgerMessage],
        content: ContentLibrary,
        plans: Mapping[str, Plan],
    ) -> None:
        self._settings = settings.media
        self._spool = settings.storage.spool_folder
        self._content = content
        self._book = PostgresMediaBook(sessions.writers, plans)
        self._library = PostgresMediaLibrary(sessions.readers)
        self._store = open_media_store(
            settings.media.url,
            endpoint=settings.media.endpoint,
            embedded_folder=settings.storage.media_folder,
            timeout_s=settings.media.timeout_s,
        )
        shutil.rmtree(self._spool, ignore_errors=True)
        self._curator = pipelines.add("curator", self._make_curator, capacity=8)
        self._custodian = pipelines.add("custodian", self._make_custodian, capacity=256)
        self._ledger = ledger
        self._plans = plans
        self.intake = self.intake_with(UPLOAD_LEASE_S)
        self._resumable = PostgresResumableBook(sessions.writers, plans)
        self._resumption = self._resumption_on(PostgresResumableLibrary(sessions.readers))
        pipelines.add("assembler", self._make_assembler, capacity=2)

    def intake_with(self, lease_s: float) -> Intake:
        """What takes files in; those of a daemon that died are given up after this time."""
        return Intake(
            store=self._store,
            custodian=self._custodian,
            ledger=self._ledger,
            library=self._content,
            plans=self._plans,
            sniff=sniff,
            rules=IntakeRules(
                file_bytes_max=self._settings.file_bytes_max,
                upload_limit_s=self._settings.upload_limit_s,
                lease_s=lease_s,
            ),
            new_id=new_id,
            clock=time.monotonic,
        )

    def desk(self, fence: Fence) -> MediaDesk:
        """What serves the media routes."""
        return MediaDesk(
            intake=self.intake,
            custodian=self._custodian,
            library=self._library,
            content=self._content,
            store=self._store,
            fence=fence,
            new_id=new_id,
            timeout_s=WRITE_TIMEOUT_S,
            signed_url_s=self._settings.signed_url_s,
        )

    def resuming_desk(self, fence: Fence) -> ResumingDesk:
        """What serves the routes of resumable uploads."""
        return ResumingDesk(
            resumption=self._resumption,
            content=self._content,
            fence=fence,
            new_id=new_id,
        )

    def _resumption_on(self, library: PostgresResumableLibrary) -> Resumption:
        return Resumption(
            book=self._resumable,
            library=library,
            store=self._store,
            intake=self.intake,
            custodian=self._custodian,
            ledger=self._ledger,
            rules=ResumptionRules(
                file_bytes_max=self._settings.file_bytes_max,
                waits_s=self._settings.resume_s,
                upload_limit_s=self._settings.upload_limit_s,
            ),
            new_id=new_id,
            clock=time.monotonic,
        )

    def _make_assembler(self) -> Assembler:
        return Assembler(self._resumable, self._resumption)

    def _make_custodian(self) -> Custodian:
        return Custodian(self._book, changed=lambda: wake(self._curator, Wake()))

    def _make_curator(self) -> Curator:
        given = self._settings
        limits = ExaminationLimits(
            pixels_max=given.pixels_max,
            memory_bytes=given.examine_memory_bytes,
            seconds=given.examine_s,
        )
        return Curator(
            self._book,
            self._store,
            ProcessExaminer(self._store, self._spool, limits),
            pace=CuratorPace(in_parallel=given.examine_in_parallel),
        )
