"""Examples of the routes of events and webhooks; see `examples`."""

from typing import Any

import msgspec

from engarde_daemon.api.openapi.subjects import AT, BRAND, ITEM, OTHER, TENANT, USER
from engarde_daemon.api.paging import Onward
from engarde_daemon.api.webhooks.schemas import (
    DeliveryPage,
    DeliveryView,
    WebhookCreate,
    WebhookList,
    WebhookPatch,
    WebhookView,
)
from engarde_daemon.domain.events import EventDocument
from engarde_daemon.ports.webhooks import DeliveryState

_URL = "https://studio.example.com/hooks/engarde"
_EVENT = "c391691c-09ee-8c7b-6fc9-143bcaa3bbc2"
_WEBHOOK = WebhookView(
    id=OTHER,
    url=_URL,
    types=["content.*"],
    description="Content Studio",
    enabled=True,
    disabled_reason=None,
    failing_since=None,
    created_at=AT,
    updated_at=AT,
)
_DELIVERY = DeliveryView(
    id="17",
    event_id=_EVENT,
    type="content.published",
    status=DeliveryState.DELIVERED,
    attempts=1,
    response_status=204,
    response_excerpt=None,
    error=None,
    took_ms=35,
    last_attempt_at=AT,
    next_attempt_at=None,
    created_at=AT,
)

ANSWERS: dict[Any, Any] = {
    WebhookView: _WEBHOOK,
    WebhookList: WebhookList(data=[_WEBHOOK]),
    DeliveryView: _DELIVERY,
    DeliveryPage: DeliveryPage(
        data=[_DELIVERY], pagination=Onward(page_size=50, has_next=False, next_cursor=None)
    ),
    EventDocument: EventDocument(
        id=_EVENT,
        type="content.published",
        timestamp=AT,
        tenant_id=TENANT,
        brand_id=BRAND,
        actor_id=USER,
        data=msgspec.Raw(b'{"id": "%b", "version": 3}' % ITEM.encode()),
    ),
}
REQUESTS: dict[Any, Any] = {
    WebhookCreate: {"url": _URL, "types": ["content.*"], "description": "Content Studio"},
    WebhookPatch: {"enabled": False},
}
PATHS = {"webhook_id": OTHER, "delivery_id": _DELIVERY.id}
