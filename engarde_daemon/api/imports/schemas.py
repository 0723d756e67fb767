"""What imports look like on the wire."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.generation.schemas import After
from engarde_daemon.api.paging import Mark, PageSize
from engarde_daemon.domain.importing import (
    AssetState,
    DateRange,
    ImportSpec,
    ImportStatus,
    Platform,
    Stage,
)
from engarde_daemon.ports.importing import AssetRecord, ImportRecord

CampaignId = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+(?!\n)$")]


class ImportDates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The days of which figures are wanted, both included."""

    start: date
    end: date


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted beyond what is usual; without dates, figures of the last thirty days."""

    include_inactive: bool = False
    date_range: ImportDates | None = None


class ImportWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign to be imported; without its id, the one that the campaign space names."""

    platform: Literal["google_ads", "meta"]
    external_campaign_id: CampaignId | None = None
    import_assets: bool = True
    import_performance: bool = True
    import_options: ImportOptions = ImportOptions()

    def spec(self) -> ImportSpec:
        """What the domain makes of it."""
        days = self.import_options.date_range
        return ImportSpec(
            import_assets=self.import_assets,
            import_performance=self.import_performance,
            include_inactive=self.import_options.include_inactive,
            date_range=DateRange(start=days.start, end=days.end) if days else None,
        )


class FileQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an export is taken in."""

    external_campaign_id: CampaignId | None = None
    include_inactive: bool = False
    import_performance: bool = True


class ExportRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of an export; `external_id` alone is needed, and other columns are passed over."""

    external_id: str
    name: str = ""
    type: str = ""
    status: str = ""
    headline: str = ""
    text: str = ""
    description: str = ""
    call_to_action: str = ""
    link: str = ""
    tags: list[str] = []
    media_urls: list[str] = []
    media_ids: list[str] = []
    date: str = ""
    hour: int | None = None
    impressions: int = 0
    clicks: int = 0
    conversions: float = 0
    spend: float = 0
    revenue: float = 0
    currency: str = ""
    time_zone: str = ""


class ImportCreated(msgspec.Struct, frozen=True, kw_only=True):
    """An import that was accepted; it goes on by itself."""

    import_job_id: str
    status: ImportStatus
    campaign_space_id: str
    platform: Platform
    estimated_assets: int
    created_at: datetime


class AssetError(msgspec.Struct, frozen=True, kw_only=True):
    """Why an asset failed."""

    external_id: str
    name: str
    reason: str


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """An import; `progress` is a percentage, `errors` are the first ten where one import is asked for.

    `waiting_reason` says why it does not go on just now.
    """

    import_job_id: str
    campaign_space_id: str
    brand_id: str
    platform: str
    external_campaign_id: str
    status: ImportStatus
    stage: Stage
    progress: int
    estimated_assets: int
    total_assets: int
    imported: int
    updated: int
    unchanged: int
    skipped: int
    failed: int
    performance_rows: int
    import_options: ImportSpec
    error_message: str | None
    waiting_reason: str | None
    errors: list[AssetError]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one asset."""

    number: int
    external_id: str
    name: str
    kind: str
    state: AssetState
    content_id: str | None
    attempts: int
    reason: str | None
    ended_at: datetime | None


class ImportsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of the list of imports."""

    status: list[ImportStatus] | None = None
    brand_id: Id | None = None
    page_size: PageSize = msgspec.field(default=20, name="pageSize")
    cursor: Mark | None = None


class AssetsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of an import's assets."""

    state: list[AssetState] | None = None
    page_size: PageSize = msgspec.field(default=50, name="pageSize")
    cursor: After | None = None


def created_view(job: ImportRecord, *, is_new: bool) -> ImportCreated:
    """The answer to a wish for an import; a new one was pending when it was accepted."""
    return ImportCreated(
        import_job_id=job.id,
        status=ImportStatus.PENDING if is_new else job.status,
        campaign_space_id=job.campaign_space_id,
        platform=Platform(job.platform),
        estimated_assets=job.estimated_assets,
        created_at=job.created_at,
    )


def import_view(job: ImportRecord, errors: list[AssetRecord] | None = None) -> ImportView:
    """An import as a client sees it."""
    apart = {"import_job_id", "progress", "import_options", "errors"}
    same = {n: getattr(job, n) for n in ImportView.__struct_fields__ if n not in apart}
    return ImportView(
        **same,
        import_job_id=job.id,
        progress=_progress(job),
        import_options=job.spec,
        errors=[
            AssetError(external_id=one.external_id, name=one.name, reason=one.reason or "")
            for one in errors or ()
        ],
    )


def asset_view(asset: AssetRecord) -> AssetView:
    """An asset as a client sees it."""
    return AssetView(**{name: getattr(asset, name) for name in AssetView.__struct_fields__})


def _progress(job: ImportRecord) -> int:
    """How much is done, in percent; a listing that goes on is measured by its estimate."""
    if job.completed_at is not None:
        return 100
    done = job.imported + job.updated + job.unchanged + job.skipped + job.failed
    return min(99, 100 * done // max(job.total_assets, job.estimated_assets, 1))
