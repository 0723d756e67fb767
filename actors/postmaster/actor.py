"""The postmaster: the one way by which webhooks change.

Owns their signing secrets: drawn here, sealed before they are stored, and given out only to whoever
makes them. A request that comes again under its Idempotency-Key gets the same secret again, because
an answer that was lost must not leave a webhook behind that nobody can verify.
"""

import uuid
from collections.abc import Callable
from typing import assert_never

from actors.postmaster.messages import (
    AddWebhook,
    ChangeWebhook,
    PostmasterMessage,
    RemoveWebhook,
    RenewSecret,
    RetryDelivery,
    SendTest,
    SetUp,
)
from engarde_daemon.core import Actor
from engarde_daemon.domain.access import Randomness
from engarde_daemon.domain.errors import Exhausted, KeyReused, NotFound
from engarde_daemon.domain.events import EventType
from engarde_daemon.domain.webhooks import draw_secret
from engarde_daemon.ports.secrets import SecretBox
from engarde_daemon.ports.webhooks import Added, WebhookBook, WebhookKey

NO_WEBHOOK = "There is no such webhook."
NO_DELIVERY = "There is no such delivery, or its webhook is switched off."

_SPACE = uuid.UUID("7f1c7c1a-93f0-4e0c-9d53-0d8f6b8a8c11")


class Postmaster(Actor[PostmasterMessage]):
    """Sets webhooks up."""

    def __init__(
        self,
        *,
        book: WebhookBook,
        box: SecretBox,
        new_id: Callable[[], str],
        randomness: Randomness,
        webhooks_max: int,
        overlap_s: float,
        wake_courier: Callable[[], None],
    ) -> None:
        self._book = book
        self._box = box
        self._new_id = new_id
        self._randomness = randomness
        self._webhooks_max = webhooks_max
        self._overlap_s = overlap_s
        self._wake_courier = wake_courier

    async def receive(self, message: PostmasterMessage) -> SetUp | int | None:
        """Make one change.

        Raises:
            NotFound: There is no such webhook, or no such delivery of it.
            Exhausted: The tenant has as many webhooks as it may.
            KeyReused: The idempotency key came before with another request.
            Unavailable: PostgreSQL does not answer.
        """
        match message:
            case AddWebhook():
                return await self._add(message)
            case ChangeWebhook(key=key, wish=wish):
                _require(await self._book.change(key, wish), NO_WEBHOOK)
            case RenewSecret(key=key):
                return await self._renew(key)
            case RemoveWebhook(key=key):
                _require(await self._book.remove(key), NO_WEBHOOK)
            case SendTest(key=key):
                return await self._test(key)
            case RetryDelivery(key=key, number=number):
                _require(await self._book.retry(key, number), NO_DELIVERY)
                self._wake_courier()
            case _:
                assert_never(message)
        return None

    async def _add(self, message: AddWebhook) -> SetUp:
        promise = message.idempotency
        key = WebhookKey(message.tenant_id, self._new_id())
        if promise is not None:
            name = f"{message.tenant_id} {promise.principal_id} {promise.key}"
            key = WebhookKey(message.tenant_id, str(uuid.uuid5(_SPACE, name)))
        secret = draw_secret(self._randomness)
        added = await self._book.add(
            key,
            message.wish,
            secret=self._box.seal(secret, key.purpose),
            fingerprint=promise.fingerprint if promise else None,
            most=self._webhooks_max,
        )
        match added:
            case Added.ADDED:
                return SetUp(webhook_id=key.webhook_id, secret=secret)
            case Added.EXISTS:
                return await self._replay(key)
            case Added.REUSED:
                raise KeyReused
            case Added.FULL:
                raise Exhausted(
                    f"A tenant may have {self._webhooks_max} webhooks. Delete one first."
                )

    async def _replay(self, key: WebhookKey) -> SetUp:
        sealed = await self._book.secret(key)
        if sealed is None:
            raise NotFound(NO_WEBHOOK)
        secret = self._box.open(sealed, key.purpose)
        return SetUp(webhook_id=key.webhook_id, secret=secret, replayed=True)

    async def _renew(self, key: WebhookKey) -> SetUp:
        secret = draw_secret(self._randomness)
        sealed = self._box.seal(secret, key.purpose)
        renewed = await self._book.renew_secret(key, sealed, overlap_s=self._overlap_s)
        _require(renewed, NO_WEBHOOK)
        return SetUp(webhook_id=key.webhook_id, secret=secret)

    async def _test(self, key: WebhookKey) -> int:
        number = await self._book.test(key, str(uuid.UUID(self._new_id())), EventType.WEBHOOK_TEST)
        if number is None:
            raise NotFound("There is no such webhook, or it is switched off.")
        self._wake_courier()
        return number


def _require(found: bool, otherwise: str) -> None:  # noqa: FBT001 - the question is the argument
    if not found:
        raise NotFound(otherwise)
