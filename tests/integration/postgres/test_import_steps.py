"""What becomes of an asset whose end PostgreSQL cannot hold."""

import asyncpg
import pytest
from structlog.testing import capture_logs

from engarde_daemon.adapters.postgres.importing import PostgresImportBench, PostgresImportBook
from engarde_daemon.adapters.postgres.register import PostgresRegister
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.importing import (
    AssetKind,
    AssetState,
    CampaignAsset,
    ImportSpec,
    Origin,
    Platform,
)
from engarde_daemon.ports.importing import (
    AssetStep,
    Begun,
    ImportClaim,
    ImportDraft,
    Keepsake,
    Portion,
)
from engarde_daemon.ports.register import NewSpace
from tests.support.database import (
    Tenant,
    dsn_as,
    migrated_template,
    postgres_server,
    sessions,
    superuser,
    tenant,
)

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser", "tenant"]

ASSET = CampaignAsset(external_id="a", name="An ad", kind=next(iter(AssetKind)))
NUL = "no\x00text"


async def begun(sessions: Sessions, tenant: Tenant) -> ImportClaim:
    """The claim on an import of one asset."""
    space = NewSpace(
        id=new_id(),
        tenant_id=tenant.id,
        brand_id=tenant.brand_id,
        user_id=tenant.user_id,
        campaign_name="Summer",
        platform=Platform.GOOGLE_ADS.value,
        external_campaign_id="c",
    )
    await PostgresRegister(sessions.writers).add_space(space)
    origin = Origin(
        tenant_id=tenant.id,
        brand_id=tenant.brand_id,
        space_id=space.id,
        platform=Platform.GOOGLE_ADS,
        campaign_id="c",
    )
    draft = ImportDraft(
        id=new_id(), origin=origin, user_id=tenant.user_id, spec=ImportSpec(), fingerprint="f"
    )
    bench = PostgresImportBench(sessions.writers)
    made = await PostgresImportBook(sessions.writers).begin(draft, most=1)
    assert made is Begun.CREATED
    (claim,) = await bench.claim(most=1, lease_s=30)
    assert await bench.list(claim, Portion(assets=(ASSET,), is_last=True))
    return claim


@pytest.mark.parametrize("spoilt", ["reason", "keepsake"])
async def test_an_end_that_cannot_be_written_is_a_failure(
    sessions: Sessions, superuser: asyncpg.Connection, tenant: Tenant, spoilt: str
):
    """Of this asset alone: neither does the importer fail, nor is the asset tried for ever."""
    claim = await begun(sessions, tenant)
    step = AssetStep(number=1, state=AssetState.SKIPPED, reason=NUL)
    if spoilt == "keepsake":
        kept = Keepsake(
            content_id=new_id(),
            asset_name=NUL,
            asset_type=ASSET.kind.value,
            external_asset_id=ASSET.external_id,
            headline_text=None,
            ad_copy_text=None,
            description=None,
            cta_text=None,
            tags=(),
            link=None,
            media_id=None,
            digest=ASSET.digest,
            is_active=True,
        )
        step = AssetStep(
            number=1, state=AssetState.IMPORTED, content_id=kept.content_id, keepsake=kept
        )
    bench = PostgresImportBench(sessions.writers)
    with capture_logs() as lines:
        assert await bench.note(claim, step)

    row = await superuser.fetchrow("select * from engarde.import_items")
    assert row["state"] == "failed"
    assert "could not be written down" in row["reason"]
    assert [(line["log_level"], line["import_id"], line["number"]) for line in lines] == [
        ("error", claim.id, 1)
    ]
    assert await bench.tasks(claim, most=5) is None
