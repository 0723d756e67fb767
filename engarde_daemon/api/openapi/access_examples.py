"""Examples of the routes of keys, brands, campaign spaces and the audit log; see `examples`."""

from datetime import timedelta
from typing import Any

from engarde_daemon.api.audit.controller import AuditView
from engarde_daemon.api.brands.controller import BrandList, BrandView, VoiceView
from engarde_daemon.api.campaigns.controller import SpaceCreate
from engarde_daemon.api.keys.schemas import KeyCreate, KeyRevoked, KeyView
from engarde_daemon.api.openapi.subjects import AT, BRAND, ITEM, OTHER, USER
from engarde_daemon.api.paging import Onward, Page
from engarde_daemon.domain.access import Role
from engarde_daemon.domain.voice import Voice
from engarde_daemon.ports.register import CampaignSpace

_KEY = KeyView(
    id="axzr73eieqky",
    name="for reports",
    role=Role.VIEWER,
    status="active",
    brand_id=BRAND,
    brand_ids=[BRAND],
    user_id=USER,
    created_at=AT,
    created_by=USER,
    expires_at=AT + timedelta(days=365),
    last_used_at=None,
    revoked_at=None,
)
_SPACE = CampaignSpace(
    id=OTHER,
    brand_id=BRAND,
    user_id=USER,
    campaign_name="Spring",
    platform="meta",
    external_campaign_id="238500",
    created_at=AT,
    updated_at=AT,
)
_AUDIT = AuditView(
    id=OTHER,
    at=AT,
    principal_id="7macdtqrxwid",
    user_id=USER,
    role="editor",
    operation="deleteContent",
    subject_id=ITEM,
    status=200,
    request_id="ecb7abbd647eacd7",
    address="192.0.2.7",
)
_ONWARD = Onward(page_size=50, has_next=False, next_cursor=None)

ANSWERS: dict[Any, Any] = {
    KeyView: _KEY,
    KeyRevoked: KeyRevoked(message="The key opens nothing any more", id=_KEY.id, revoked_at=AT),
    Page[KeyView]: Page(data=[_KEY], pagination=_ONWARD),
    BrandList: BrandList(
        data=[BrandView(id=BRAND, name="Acme", role=Role.EDITOR, is_default=True)]
    ),
    VoiceView: VoiceView(
        brand_id=BRAND, tone="Warm and plain.", version=1, updated_by=USER, updated_at=AT
    ),
    CampaignSpace: _SPACE,
    Page[CampaignSpace]: Page(data=[_SPACE], pagination=_ONWARD),
    Page[AuditView]: Page(data=[_AUDIT], pagination=_ONWARD),
}
REQUESTS: dict[Any, Any] = {
    KeyCreate: {"role": "viewer", "name": "for reports"},
    Voice: {"tone": "Warm and plain.", "reading_level": 8, "banned_phrases": ["guaranteed"]},
    SpaceCreate: {"campaign_name": "Spring", "platform": "meta", "external_campaign_id": "238500"},
}
PATHS = {"key_id": _KEY.id, "brand_id": BRAND, "space_id": OTHER}
