"""The routes of webhooks."""

from typing import Any

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.params import FromPath

from engarde_daemon.api.access import reaches_tenant
from engarde_daemon.api.calls import Call
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import IDEMPOTENCY_KEY, LOCATION, REPLAYED, Answer, promise
from engarde_daemon.api.decoding import decode_json, decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.api.trail import AUDITED
from engarde_daemon.api.webhooks.desk import WebhookDesk
from engarde_daemon.api.webhooks.schemas import (
    DeliveriesQuery,
    DeliveryPage,
    DeliveryView,
    WebhookCreate,
    WebhookList,
    WebhookPatch,
    WebhookView,
)
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Exhausted, KeyReused

Asked = Request[Principal, Any, Any]
Desk = Given[WebhookDesk]


class WebhooksController(Controller):
    """Have addresses of the tenant told of events, and see what became of it."""

    path = "/api/webhooks"
    tags = ("webhooks",)
    guards = (reaches_tenant(Role.ADMIN),)
    opt = {AUDITED: True}  # noqa: RUF012 - Litestar declares it so

    @post(
        operation_id="createWebhook",
        opt=promise(
            body=WebhookCreate,
            headers=(IDEMPOTENCY_KEY,),
            answers={
                201: Answer(
                    says="The webhook with its secret, this once.",
                    shape=WebhookView,
                    headers=(LOCATION, REPLAYED),
                )
            },
            errors=(KeyReused, Exhausted),
        ),
    )
    async def create(self, request: Asked, webhook_desk: Desk) -> Response[bytes]:
        """Add a webhook; its signing secret is in this answer and nowhere else."""
        raw = await request.body()
        wish = decode_json(raw, WebhookCreate)
        return await webhook_desk.create(Call(request.user, request.headers), wish, raw)

    @get(operation_id="listWebhooks")
    async def page(self, request: Asked, webhook_desk: Desk) -> WebhookList:
        """All webhooks of the tenant."""
        return await webhook_desk.page(request.user)

    @get("/{webhook_id:str}", operation_id="readWebhook")
    async def read(
        self, request: Asked, webhook_id: FromPath[str], webhook_desk: Desk
    ) -> WebhookView:
        """One webhook."""
        return await webhook_desk.read(request.user, webhook_id)

    @patch("/{webhook_id:str}", operation_id="updateWebhook", opt=promise(body=WebhookPatch))
    async def update(
        self, request: Asked, webhook_id: FromPath[str], webhook_desk: Desk
    ) -> WebhookView:
        """Change some fields of a webhook; `enabled` switches it on and off."""
        wish = decode_json(await request.body(), WebhookPatch)
        return await webhook_desk.update(request.user, webhook_id, wish)

    @delete("/{webhook_id:str}", operation_id="deleteWebhook", status_code=204)
    async def delete(self, request: Asked, webhook_id: FromPath[str], webhook_desk: Desk) -> None:
        """Forget a webhook and its deliveries."""
        await webhook_desk.remove(request.user, webhook_id)

    @post("/{webhook_id:str}/rotate-secret", operation_id="rotateWebhookSecret", status_code=200)
    async def rotate(
        self, request: Asked, webhook_id: FromPath[str], webhook_desk: Desk
    ) -> WebhookView:
        """Sign with a new secret, and with the old one as well for another 24 hours."""
        return await webhook_desk.renew_secret(request.user, webhook_id)

    @post("/{webhook_id:str}/test", operation_id="testWebhook", status_code=202)
    async def test(
        self, request: Asked, webhook_id: FromPath[str], webhook_desk: Desk
    ) -> DeliveryView:
        """Send a `webhook.test` event to this webhook alone."""
        return await webhook_desk.test(request.user, webhook_id)

    @get(
        "/{webhook_id:str}/deliveries",
        operation_id="listWebhookDeliveries",
        opt=promise(query=DeliveriesQuery),
    )
    async def deliveries(
        self, request: Asked, webhook_id: FromPath[str], webhook_desk: Desk
    ) -> DeliveryPage:
        """What was sent, what was answered, and what will be tried again, the newest first."""
        query = decode_query(query_of(request.scope["query_string"]), DeliveriesQuery)
        return await webhook_desk.deliveries(request.user, webhook_id, query)

    @post(
        "/{webhook_id:str}/deliveries/{delivery_id:str}/retry",
        operation_id="retryWebhookDelivery",
        status_code=202,
    )
    async def retry(  # noqa: PLR0917 - Litestar gives them by name
        self,
        request: Asked,
        webhook_id: FromPath[str],
        delivery_id: FromPath[str],
        webhook_desk: Desk,
    ) -> DeliveryView:
        """Begin a delivery anew, whatever became of it."""
        return await webhook_desk.retry(request.user, webhook_id, delivery_id)
