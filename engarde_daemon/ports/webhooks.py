"""Where tenants want to be told of events, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from engarde_daemon.domain.events import Event
from engarde_daemon.ports.secrets import Purpose


class WebhookKey(msgspec.Struct, frozen=True):
    """A webhook of a tenant: one without the other finds nothing."""

    tenant_id: str
    webhook_id: str

    @property
    def purpose(self) -> Purpose:
        """What its signing secret is sealed for."""
        return Purpose(self.tenant_id, f"webhook {self.webhook_id}")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant wants to be told, and where; None leaves things as they are."""

    url: str | None = None
    types: list[str] | None = None
    description: str | None = None
    enabled: bool | None = None


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as its tenant may see it, which is without the secret."""

    id: str
    url: str
    types: list[str]
    description: str
    enabled: bool
    disabled_reason: str | None
    failing_since: datetime | None
    created_at: datetime
    updated_at: datetime


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one webhook, and what was answered last."""

    number: int
    event_id: str
    type: str
    state: DeliveryState
    attempts: int
    due_at: datetime | None
    response_status: int | None
    response_excerpt: str | None
    error: str | None
    took_ms: int | None
    attempted_at: datetime | None
    created_at: datetime


class Added(StrEnum):
    """What became of a new webhook."""

    ADDED = "added"
    EXISTS = "exists"
    REUSED = "reused"
    FULL = "full"


class WebhookBook(Protocol):
    """All webhooks, as their keeper changes them. Secrets are sealed before they come here."""

    async def add(
        self, key: WebhookKey, wish: Wish, *, secret: bytes, fingerprint: str | None, most: int
    ) -> Added:
        """Add a webhook, unless it is there or the tenant has `most` of them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def change(self, key: WebhookKey, wish: Wish) -> bool:
        """Change a webhook; false where there is none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def secret(self, key: WebhookKey) -> bytes | None:
        """The sealed secret of a webhook, None where there is none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def renew_secret(self, key: WebhookKey, secret: bytes, *, overlap_s: float) -> bool:
        """Replace the secret, and keep the old one good for a while; false where there is none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def remove(self, key: WebhookKey) -> bool:
        """Forget a webhook and its deliveries; false where there is none.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def test(self, key: WebhookKey, event_id: str, type_: str) -> int | None:
        """Make a delivery that belongs to no event; None where no webhook is switched on.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def retry(self, key: WebhookKey, number: int) -> bool:
        """Begin a delivery anew; false where it, or a webhook that is switched on, is missing.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def match(self, tenant_ids: Sequence[str] | None, *, most: int) -> "Matched":
        """Make deliveries of what happened, for these tenants' webhooks or for all.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Matched(msgspec.Struct, frozen=True):
    """How many webhooks were behind the events, and still are, and the deliveries made."""

    behind: int
    left_behind: int
    made: int


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery to be sent; `event` is None when it is past its retention."""

    number: int
    attempt: int
    event_id: str
    event: Event | None


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """What is due for one webhook, leased to whoever holds this; `token` fences."""

    key: WebhookKey
    token: int
    failing: bool
    url: str
    secrets: tuple[bytes, ...]
    letters: Sequence[Letter]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one letter; `retry_s` belongs to one that is still pending."""

    number: int
    state: DeliveryState
    retry_s: float | None = None
    response_status: int | None = None
    response_excerpt: str | None = None
    error: str | None = None
    took_ms: int | None = None


class WebhookBacklog(msgspec.Struct, frozen=True, kw_only=True):
    """How the sending goes, over all tenants."""

    waiting: int = 0
    oldest_age_s: float = 0.0
    failing: int = 0
    disabled: int = 0
    locked: int = 0
    """Webhooks whose secret this daemon has no key for, so that it leaves them to others."""


class PostOffice(Protocol):
    """Deliveries that are due, as those who send them see it."""

    async def claim(self, *, lease_s: float, most: int, sound_only: bool) -> Post | None:
        """Lease what is due for one webhook; `sound_only` leaves out those that do not answer.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def settle(
        self, post: Post, outcomes: Sequence[Outcome], *, gone: bool, patience_s: float
    ) -> bool:
        """Write down what came of it; false when the lease was someone else's by then.

        Raises:
            Unavailable: PostgreSQL does not answer; the lease will run out.
        """

    async def backlog(self) -> WebhookBacklog:
        """How the sending goes.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class WebhookLibrary(Protocol):
    """What the edge shows; each question names its tenant and sees nothing of another."""

    async def webhooks(self, tenant_id: str) -> list[Webhook]:
        """All of a tenant, the oldest first.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def webhook(self, key: WebhookKey) -> Webhook | None:
        """One of them.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

    async def deliveries(
        self, key: WebhookKey, *, state: DeliveryState | None, before: int | None, size: int
    ) -> list[Delivery]:
        """The newest deliveries, or those before a number.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an address answered, cut to a bound; `status` is None when it did not."""

    status: int | None
    excerpt: str | None = None
    error: str | None = None
    took_ms: int


class Mailman(Protocol):
    """Who carries a message to an address."""

    async def carry(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a message and give the answer; every failure is one."""

    async def close(self) -> None:
        """Close the connections."""
