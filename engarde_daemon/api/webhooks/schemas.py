"""What webhooks and their deliveries look like on the wire. A secret is in one answer only."""

from datetime import datetime
from typing import Annotated, Self

import msgspec
from msgspec import UNSET, Meta, UnsetType

from engarde_daemon.api.events.query import Pattern
from engarde_daemon.api.fields import CursorText, Parsed
from engarde_daemon.api.paging import Onward
from engarde_daemon.ports.webhooks import Delivery, DeliveryState, Webhook, Wish

Url = Annotated[str, Meta(min_length=1, max_length=2048)]
Types = Annotated[list[Pattern], Meta(min_length=1, max_length=50)]
Description = Annotated[str, Meta(max_length=255)]

NUMBER_MAX = 2**63 - 1


class WebhookCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new webhook; without `types` it is told of everything."""

    url: Url
    types: Types = msgspec.field(default_factory=lambda: ["*"])
    description: Description = ""

    def wish(self) -> Wish:
        """What the postmaster makes of it."""
        return Wish(url=self.url, types=self.types, description=self.description)


class WebhookPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a webhook that shall change."""

    url: Url | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET

    def wish(self) -> Wish:
        """What the postmaster makes of it."""
        return Wish(
            url=None if self.url is UNSET else self.url,
            types=None if self.types is UNSET else self.types,
            description=None if self.description is UNSET else self.description,
            enabled=None if self.enabled is UNSET else self.enabled,
        )


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it stands."""

    id: str
    url: str
    types: list[str]
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    secret: str | UnsetType = UNSET
    created_at: datetime
    updated_at: datetime


class WebhookList(msgspec.Struct, frozen=True, kw_only=True):
    """All webhooks of a tenant, the oldest first."""

    data: list[WebhookView]


class Before(Parsed):
    """The delivery before which a page starts; an empty one is the start of the list."""

    __slots__ = ("number",)
    written = CursorText

    def __init__(self, number: int | None) -> None:
        self.number = number

    @classmethod
    def parse(cls, value: object) -> Self:
        """See `Parsed.parse`."""
        number = number_of(str(value)) if value else None
        if value and number is None:
            raise ValueError("is not a cursor of this API; start without one")
        return cls(number)


class DeliveriesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of the delivery log."""

    status: DeliveryState | None = None
    page_size: Annotated[int, Meta(ge=1, le=100)] = msgspec.field(default=20, name="pageSize")
    cursor: Before | None = None

    @property
    def before(self) -> int | None:
        """The number before which the page starts."""
        return self.cursor.number if self.cursor else None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery, and what the address answered last."""

    id: str
    event_id: str
    type: str
    status: DeliveryState
    attempts: int
    response_status: int | None
    response_excerpt: str | None
    error: str | None
    took_ms: int | None
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the delivery log, the newest first."""

    data: list[DeliveryView]
    pagination: Onward


def view_of(webhook: Webhook, secret: str | UnsetType = UNSET) -> WebhookView:
    """A webhook as a client sees it."""
    return WebhookView(**msgspec.structs.asdict(webhook), secret=secret)


def delivery_of(delivery: Delivery) -> DeliveryView:
    """A delivery as a client sees it."""
    return DeliveryView(
        id=str(delivery.number),
        event_id=delivery.event_id,
        type=delivery.type,
        status=delivery.state,
        attempts=delivery.attempts,
        response_status=delivery.response_status,
        response_excerpt=delivery.response_excerpt,
        error=delivery.error,
        took_ms=delivery.took_ms,
        last_attempt_at=delivery.attempted_at,
        next_attempt_at=delivery.due_at,
        created_at=delivery.created_at,
    )


def page_of(deliveries: list[Delivery], *, size: int) -> DeliveryPage:
    """A page out of its deliveries, of which one more than `size` was asked for."""
    data = [delivery_of(delivery) for delivery in deliveries[:size]]
    has_next = len(deliveries) > size
    return DeliveryPage(
        data=data,
        pagination=Onward(
            page_size=size, has_next=has_next, next_cursor=data[-1].id if has_next else None
        ),
    )


def number_of(text: str) -> int | None:
    """The number of a delivery; None when a text cannot be one."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number <= NUMBER_MAX else None
