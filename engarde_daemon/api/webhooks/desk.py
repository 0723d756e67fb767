"""What is done for a caller who comes about webhooks.

Changes are asked of the postmaster, reads of the library. An address is looked at before anything
is kept, so that a URL that can never be called is refused with its reason.
"""

import hashlib
from collections.abc import Callable
from typing import TypeAlias

import msgspec
from litestar import Response

from actors.postmaster.messages import (
    AddWebhook,
    ChangeWebhook,
    PostmasterMessage,
    RemoveWebhook,
    RenewSecret,
    RetryDelivery,
    SendTest,
)
from engarde_daemon.api.calls import Call, idempotency_of
from engarde_daemon.api.content.schemas import is_id
from engarde_daemon.api.events.query import check_types
from engarde_daemon.api.webhooks.schemas import (
    DeliveriesQuery,
    DeliveryPage,
    DeliveryView,
    WebhookCreate,
    WebhookList,
    WebhookPatch,
    WebhookView,
    delivery_of,
    number_of,
    page_of,
    view_of,
)
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal
from engarde_daemon.domain.errors import FieldError, Invalid, NotFound
from engarde_daemon.ports.webhooks import Webhook, WebhookKey, WebhookLibrary, Wish

NO_WEBHOOK = "There is no such webhook."
NO_DELIVERY = "There is no such delivery."

UrlFault: TypeAlias = Callable[[str], str | None]
"""What is wrong with a URL that the daemon shall call, or None."""


class WebhookDesk:
    """Serves the routes of webhooks."""

    def __init__(
        self,
        *,
        postmaster: Address[PostmasterMessage],
        library: WebhookLibrary,
        url_fault: UrlFault,
        timeout_s: float,
    ) -> None:
        self._postmaster = postmaster
        self._library = library
        self._url_fault = url_fault
        self._timeout_s = timeout_s

    async def create(self, call: Call, wish: WebhookCreate, raw: bytes) -> Response[bytes]:
        """Add a webhook and show its secret, this once."""
        self._check(wish.wish())
        tenant_id = call.principal.tenant_id
        fingerprint = hashlib.sha256(b"POST /api/webhooks " + raw).hexdigest()
        made = await self._postmaster.ask(
            AddWebhook(
                tenant_id=tenant_id,
                wish=wish.wish(),
                idempotency=idempotency_of(call, fingerprint),
            ),
            timeout_s=self._timeout_s,
        )
        webhook = await self._find(WebhookKey(tenant_id, made.webhook_id))
        headers = {"Location": f"/api/webhooks/{made.webhook_id}"}
        if made.replayed:
            headers["Idempotent-Replayed"] = "true"
        body = msgspec.json.encode(view_of(webhook, made.secret))
        return Response(body, status_code=201, media_type="application/json", headers=headers)

    async def page(self, principal: Principal) -> WebhookList:
        """All webhooks of the caller's tenant."""
        webhooks = await self._library.webhooks(principal.tenant_id)
        return WebhookList(data=[view_of(webhook) for webhook in webhooks])

    async def read(self, principal: Principal, webhook_id: str) -> WebhookView:
        """One of them."""
        return view_of(await self._find(_key(principal, webhook_id)))

    async def update(
        self, principal: Principal, webhook_id: str, wish: WebhookPatch
    ) -> WebhookView:
        """Change some fields and show the webhook as it now stands."""
        key = _key(principal, webhook_id)
        self._check(wish.wish())
        await self._postmaster.ask(
            ChangeWebhook(key=key, wish=wish.wish()), timeout_s=self._timeout_s
        )
        return view_of(await self._find(key))

    async def remove(self, principal: Principal, webhook_id: str) -> None:
        """Forget a webhook and its deliveries."""
        await self._postmaster.ask(
            RemoveWebhook(key=_key(principal, webhook_id)), timeout_s=self._timeout_s
        )

    async def renew_secret(self, principal: Principal, webhook_id: str) -> WebhookView:
        """Draw a new secret and show it, this once."""
        key = _key(principal, webhook_id)
        renewed = await self._postmaster.ask(RenewSecret(key=key), timeout_s=self._timeout_s)
        return view_of(await self._find(key), renewed.secret)

    async def test(self, principal: Principal, webhook_id: str) -> DeliveryView:
        """Have something sent that tells of nothing."""
        key = _key(principal, webhook_id)
        number = await self._postmaster.ask(SendTest(key=key), timeout_s=self._timeout_s)
        return await self._delivery(key, number)

    async def deliveries(
        self, principal: Principal, webhook_id: str, query: DeliveriesQuery
    ) -> DeliveryPage:
        """A page of the delivery log."""
        key = _key(principal, webhook_id)
        await self._find(key)
        found = await self._library.deliveries(
            key, state=query.status, before=query.before, size=query.page_size + 1
        )
        return page_of(found, size=query.page_size)

    async def retry(self, principal: Principal, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Begin a delivery anew."""
        key, number = _key(principal, webhook_id), number_of(delivery_id)
        if number is None:
            raise NotFound(NO_DELIVERY)
        await self._postmaster.ask(RetryDelivery(key=key, number=number), timeout_s=self._timeout_s)
        return await self._delivery(key, number)

    async def _find(self, key: WebhookKey) -> Webhook:
        webhook = await self._library.webhook(key)
        if webhook is None:
            raise NotFound(NO_WEBHOOK)
        return webhook

    async def _delivery(self, key: WebhookKey, number: int) -> DeliveryView:
        found = await self._library.deliveries(key, state=None, before=number + 1, size=1)
        if not found or found[0].number != number:
            raise NotFound(NO_DELIVERY)
        return delivery_of(found[0])

    def _check(self, wish: Wish) -> None:
        fault = self._url_fault(wish.url) if wish.url is not None else None
        if fault is not None:
            raise Invalid([FieldError("url", fault)])
        check_types("types", wish.types or ())


def _key(principal: Principal, webhook_id: str) -> WebhookKey:
    if not is_id(webhook_id):
        raise NotFound(NO_WEBHOOK)
    return WebhookKey(principal.tenant_id, webhook_id)
