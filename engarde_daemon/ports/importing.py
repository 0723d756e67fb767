"""What is asked of the database about imports: jobs, the claims on them, and what became of assets."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from engarde_daemon.domain.importing import (
    AssetState,
    CampaignAsset,
    Figures,
    ImportSpec,
    ImportStatus,
    Origin,
    Stage,
)
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.secrets import SealedKey


class ImportKey(msgspec.Struct, frozen=True):
    """An import of a tenant: one without the other finds nothing."""

    tenant_id: str
    job_id: str


class ImportDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An import about to begin; one with an export begins when that is in."""

    id: str
    origin: Origin
    user_id: str
    spec: ImportSpec
    fingerprint: str
    estimated_assets: int = 0
    is_receiving: bool = False


class Begun(StrEnum):
    """What became of a wish for an import."""

    CREATED = "created"
    EXISTS = "exists"
    REUSED = "reused"
    BUSY = "busy"


class ImportClaim(msgspec.Struct, frozen=True, kw_only=True):
    """An import that is this daemon's to work on, as long as its epoch stands."""

    id: str
    origin: Origin
    user_id: str
    spec: ImportSpec
    epoch: int
    stage: Stage
    cursor: str | None
    attempts: int
    is_cancelled: bool
    created_at: datetime

    @property
    def key(self) -> ImportKey:
        """The import, whoever holds it."""
        return ImportKey(self.origin.tenant_id, self.id)


class Portion(msgspec.Struct, frozen=True, kw_only=True):
    """Assets and figures that were listed together, and where the listing goes on."""

    assets: Sequence[CampaignAsset] = ()
    figures: Sequence[Figures] = ()
    cursor: str | None = None
    is_last: bool = False


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier import made of an asset.

    A `content_id` without a version was never content: the platform itself wrote the asset down.
    """

    content_id: str
    digest: str | None
    is_active: bool
    version: int | None
    is_trashed: bool
    is_erased: bool


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that is to be imported, with what is known of it."""

    number: int
    attempts: int
    asset: CampaignAsset
    known: Known | None


class Keepsake(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform's `campaign_assets` shall say of an asset that is content now."""

    content_id: str
    asset_name: str
    asset_type: str
    external_asset_id: str
    headline_text: str | None
    ad_copy_text: str | None
    description: str | None
    cta_text: str | None
    tags: Sequence[str]
    link: str | None
    media_id: str | None
    digest: str
    is_active: bool


class AssetStep(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an asset under its import's claim; still pending where it waits."""

    number: int
    state: AssetState
    content_id: str | None = None
    reason: str | None = None
    wait_s: float = 0.0
    keepsake: Keepsake | None = None


class ImportBook(Protocol):
    """The one place where imports change by somebody's wish."""

    async def begin(self, draft: ImportDraft, *, most: int) -> Begun:
        """Make an import; the same draft twice makes one.

        Raises:
            Unavailable: PostgreSQL does not answer; the same draft may be given again.
        """

    async def receive(self, key: ImportKey, portion: Portion) -> bool:
        """Take in a part of an export; False where it is received no more.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def cancel(self, key: ImportKey, *, reason: str | None = None) -> bool | None:
        """Cancel; None where there is no such import, False where it has ended already.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class ImportBench(Protocol):
    """Claims on imports, by lease and epoch, and what is written down under them."""

    async def claim(self, *, most: int, lease_s: float) -> list[ImportClaim]:
        """Lease imports that are due, the longest waiting first.

        Raises:
            Unavailable: PostgreSQL does not answer; what it claimed comes back with its lease.
        """

    async def extend(self, claim: ImportClaim, *, lease_s: float) -> ImportStatus | None:
        """Hold it longer; answers with how it stands, or None where it was lost.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def list(self, claim: ImportClaim, portion: Portion) -> bool:
        """Write down what was listed; False where the claim was lost.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def turn(
        self, claim: ImportClaim, stage: Stage, cursor: str | None, *, figures: int = 0
    ) -> bool:
        """Go on with a stage, or within one, and count figures; False where the claim was lost.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def tasks(self, claim: ImportClaim, *, most: int) -> Sequence[Task] | None:
        """Assets that are due; None once not one is pending any more.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def note(self, claim: ImportClaim, step: AssetStep) -> bool:
        """Write down what became of an asset; False where the claim was lost.

        What no row can hold is set aside: the asset fails.

        Raises:
            Unavailable: PostgreSQL does not answer; whether it was written is not known.
        """

    async def adopt(self, origin: Origin, identity: str, media_id: str) -> str:
        """Link a file to its identity; answers with the older file of the same bytes, if any.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def files(self, origin: Origin, identities: Sequence[str]) -> dict[str, str | None]:
        """The files of these identities that are here; None for one that cannot be kept.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def exported(
        self, claim: ImportClaim, *, after: int, most: int
    ) -> Sequence[tuple[int, str, Sequence[Figures]]]:
        """The figures that came with an export: number and content of each asset, and its figures.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def contents(self, origin: Origin, external_ids: Sequence[str]) -> dict[str, str]:
        """The contents that assets of a campaign became, by what their platform calls them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def postpone(self, claim: ImportClaim, *, after_s: float, reason: str) -> None:
        """Give an import back, to go on where it was after a while.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def settle(self, claim: ImportClaim, *, failure: str | None) -> bool:
        """End an import; False where the claim was lost.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def key(self, tenant_id: str, platform: str) -> SealedKey:
        """The credential of a tenant.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def pause(self, key: SealedKey, reason: str) -> None:
        """Stop all work that needs this key until another is set; nothing if it has been already.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class ImportRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An import as it stands."""

    id: str
    brand_id: str
    user_id: str
    campaign_space_id: str
    platform: str
    external_campaign_id: str
    spec: ImportSpec
    status: ImportStatus
    stage: Stage
    estimated_assets: int
    total_assets: int
    imported: int
    updated: int
    unchanged: int
    skipped: int
    failed: int
    performance_rows: int
    error_message: str | None
    waiting_reason: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class AssetRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one asset of an import."""

    number: int
    external_id: str
    name: str
    kind: str
    state: AssetState
    content_id: str | None
    attempts: int
    reason: str | None
    ended_at: datetime | None


class ImportLibrary(Protocol):
    """What readers ask; each question names its tenant and sees nothing of another."""

    async def job(self, key: ImportKey) -> ImportRecord | None:
        """One import.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def jobs(
        self,
        tenant_id: str,
        *,
        brand_ids: Sequence[str] | None,
        statuses: Sequence[str] | None,
        after: Place | None,
        size: int,
    ) -> list[ImportRecord]:
        """A page of imports, the newest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def items(
        self, key: ImportKey, *, states: Sequence[str] | None, after: int, size: int
    ) -> list[AssetRecord]:
        """A page of an import's assets by number.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def count(self, tenant_id: str, space_id: str) -> int:
        """How many assets a campaign space has by now.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
