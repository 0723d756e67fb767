"""Examples of the routes of imports; see `examples`."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from engarde_daemon.api.imports.schemas import (
    AssetError,
    AssetView,
    ExportRow,
    ImportCreated,
    ImportView,
    ImportWish,
)
from engarde_daemon.api.paging import Onward, Page
from engarde_daemon.domain.importing import (
    AssetState,
    DateRange,
    ImportSpec,
    ImportStatus,
    Platform,
    Stage,
)

_JOB = "01a20581-7c1e-7a55-8f3c-2b9d4e6f8a10"
_SPACE = "01a2057f-1d2c-7b0a-9e4d-3c5b7a9f1e22"
_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_DAYS = (date(2026, 1, 1), date(2026, 1, 25))
_VIEW = ImportView(
    import_job_id=_JOB,
    campaign_space_id=_SPACE,
    brand_id="3b420be8-b939-4cc9-900b-08afc95319f8",
    platform="google_ads",
    external_campaign_id="123456789",
    status=ImportStatus.COMPLETED,
    stage=Stage.ASSETS,
    progress=100,
    estimated_assets=25,
    total_assets=25,
    imported=22,
    updated=0,
    unchanged=0,
    skipped=2,
    failed=1,
    performance_rows=550,
    import_options=ImportSpec(date_range=DateRange(start=_DAYS[0], end=_DAYS[1])),
    error_message="1 of 25 assets failed; its items say why.",
    waiting_reason=None,
    errors=[
        AssetError(
            external_id="asset/17",
            name="Banner",
            reason="The server of the file answers with 404.",
        )
    ],
    created_at=_AT,
    started_at=_AT + timedelta(seconds=1),
    completed_at=_AT + timedelta(seconds=40),
)
_ASSET = AssetView(
    number=1,
    external_id="ad/3",
    name="Run further",
    kind="ad_copy",
    state=AssetState.IMPORTED,
    content_id="01a20582-11aa-7c3d-8b2e-9f0a1b2c3d4e",
    attempts=1,
    reason=None,
    ended_at=_AT + timedelta(seconds=2),
)
_LAST = Onward(page_size=20, has_next=False, next_cursor=None)

ANSWERS: dict[Any, Any] = {
    ImportCreated: ImportCreated(
        import_job_id=_JOB,
        status=ImportStatus.PENDING,
        campaign_space_id=_SPACE,
        platform=Platform.GOOGLE_ADS,
        estimated_assets=25,
        created_at=_AT,
    ),
    ImportView: _VIEW,
    Page[ImportView]: Page(data=[_VIEW], pagination=_LAST),
    AssetView: _ASSET,
    Page[AssetView]: Page(data=[_ASSET], pagination=_LAST),
}
REQUESTS: dict[Any, Any] = {
    ImportWish: {
        "platform": "google_ads",
        "external_campaign_id": "123456789",
        "import_assets": True,
        "import_performance": True,
        "import_options": {
            "include_inactive": False,
            "date_range": {"start": "2026-01-01", "end": "2026-01-25"},
        },
    },
    ExportRow: {
        "external_id": "3",
        "name": "Run further",
        "type": "ad_copy",
        "status": "ACTIVE",
        "headline": "Run further",
        "text": "Light shoes",
        "media_urls": ["https://example.com/shoes.jpg"],
        "date": "2026-01-25",
        "impressions": 1000,
        "clicks": 25,
        "spend": 12.34,
        "currency": "EUR",
    },
}
PATHS = {"import_id": _JOB}
