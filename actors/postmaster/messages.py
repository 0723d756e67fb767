"""What may be said to the postmaster: one request a change."""

from typing import TypeAlias

import msgspec

from engarde_daemon.core import Request
from engarde_daemon.domain.changes import Idempotency
from engarde_daemon.ports.webhooks import WebhookKey, Wish


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook with its signing secret, as only its owner may see it."""

    webhook_id: str
    secret: str
    replayed: bool = False


class AddWebhook(Request[SetUp], frozen=True, kw_only=True):
    """Have a tenant's address told of events."""

    tenant_id: str
    wish: Wish
    idempotency: Idempotency | None = None


class ChangeWebhook(Request[None], frozen=True, kw_only=True):
    """Change what a webhook is told, and whether."""

    key: WebhookKey
    wish: Wish


class RenewSecret(Request[SetUp], frozen=True, kw_only=True):
    """Sign with a new secret from now on, and with the old one for a while."""

    key: WebhookKey


class RemoveWebhook(Request[None], frozen=True, kw_only=True):
    """Forget a webhook and its deliveries."""

    key: WebhookKey


class SendTest(Request[int], frozen=True, kw_only=True):
    """Have something sent that tells of nothing; answers with the delivery's number."""

    key: WebhookKey


class RetryDelivery(Request[None], frozen=True, kw_only=True):
    """Begin a delivery anew, whatever became of it."""

    key: WebhookKey
    number: int


PostmasterMessage: TypeAlias = (
    AddWebhook | ChangeWebhook | RenewSecret | RemoveWebhook | SendTest | RetryDelivery
)
