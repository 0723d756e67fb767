"""Webhooks on PostgreSQL: changed and sent for as `engarde_actor`, shown under row level security."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.events import event_of
from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.ports.webhooks import (
    Added,
    Delivery,
    DeliveryState,
    Letter,
    Matched,
    Outcome,
    Post,
    Webhook,
    WebhookBacklog,
    WebhookKey,
    Wish,
)
from sql import statements

_SQL = statements("webhooks")


class PostgresWebhookBook:
    """The `WebhookBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def add(
        self, key: WebhookKey, wish: Wish, *, secret: bytes, fingerprint: str | None, most: int
    ) -> Added:
        """See `WebhookBook.add`."""
        given = (wish.url, wish.types, wish.description or "", secret, fingerprint, most)
        return Added(await self._value("add", key, *given))

    async def change(self, key: WebhookKey, wish: Wish) -> bool:
        """See `WebhookBook.change`."""
        given = (wish.url, wish.types, wish.description, wish.enabled)
        return bool(await self._value("change", key, *given))

    async def secret(self, key: WebhookKey) -> bytes | None:
        """See `WebhookBook.secret`."""
        sealed: bytes | None = await self._value("secret", key)
        return sealed

    async def renew_secret(self, key: WebhookKey, secret: bytes, *, overlap_s: float) -> bool:
        """See `WebhookBook.renew_secret`."""
        return await self._value("renew_secret", key, secret, overlap_s) is not None

    async def remove(self, key: WebhookKey) -> bool:
        """See `WebhookBook.remove`."""
        return await self._value("remove", key) is not None

    async def test(self, key: WebhookKey, event_id: str, type_: str) -> int | None:
        """See `WebhookBook.test`."""
        said = msgspec.json.encode({"id": key.webhook_id}).decode()
        number: int | None = await self._value("test", key, event_id, type_, said)
        return number

    async def retry(self, key: WebhookKey, number: int) -> bool:
        """See `WebhookBook.retry`."""
        return bool(await self._value("retry", key, number))

    async def match(self, tenant_ids: Sequence[str] | None, *, most: int) -> Matched:
        """See `WebhookBook.match`."""
        with translated():
            row = await self._writers.fetchrow(_SQL["match"], tenant_ids, most)
        return Matched(*row.values())

    async def _value(self, name: str, key: WebhookKey, *given: object) -> Any:
        with translated():
            return await self._writers.fetchval(_SQL[name], key.tenant_id, key.webhook_id, *given)


class PostgresPostOffice:
    """The `PostOffice` port on PostgreSQL, for a daemon with these keys."""

    def __init__(self, writers: asyncpg.Pool, key_ids: Callable[[], Sequence[bytes]]) -> None:
        self._writers = writers
        self._key_ids = key_ids

    async def claim(self, *, lease_s: float, most: int, sound_only: bool) -> Post | None:
        """See `PostOffice.claim`."""
        with translated():
            rows = await self._writers.fetch(
                _SQL["claim"], lease_s, most, sound_only, list(self._key_ids()), None
            )
        return _post_of(rows) if rows else None

    async def settle(
        self, post: Post, outcomes: Sequence[Outcome], *, gone: bool, patience_s: float
    ) -> bool:
        """See `PostOffice.settle`."""
        payload = msgspec.json.encode(outcomes).decode()
        key = (post.key.tenant_id, post.key.webhook_id)
        with translated():
            return bool(
                await self._writers.fetchval(
                    _SQL["settle"], *key, post.token, payload, gone, patience_s, None
                )
            )

    async def backlog(self) -> WebhookBacklog:
        """See `PostOffice.backlog`."""
        with translated():
            return WebhookBacklog(
                **await self._writers.fetchrow(_SQL["backlog"], list(self._key_ids()))
            )


class PostgresWebhookLibrary:
    """The `WebhookLibrary` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def webhooks(self, tenant_id: str) -> list[Webhook]:
        """See `WebhookLibrary.webhooks`."""
        with translated():
            return [Webhook(**row) for row in await self._readers.fetch(_SQL["list"], tenant_id)]

    async def webhook(self, key: WebhookKey) -> Webhook | None:
        """See `WebhookLibrary.webhook`."""
        with translated():
            row = await self._readers.fetchrow(_SQL["find"], key.tenant_id, key.webhook_id)
        return Webhook(**row) if row else None

    async def deliveries(
        self, key: WebhookKey, *, state: DeliveryState | None, before: int | None, size: int
    ) -> list[Delivery]:
        """See `WebhookLibrary.deliveries`."""
        with translated():
            rows = await self._readers.fetch(
                _SQL["deliveries"], key.tenant_id, key.webhook_id, state, before, size
            )
        return [_delivery_of(row) for row in rows]


def _post_of(rows: Sequence[Mapping[str, Any]]) -> Post:
    first = rows[0]
    return Post(
        key=WebhookKey(first["tenant_id"], first["webhook_id"]),
        token=first["token"],
        failing=first["failing"],
        url=first["url"],
        secrets=tuple(s for s in (first["secret"], first["old_secret"]) if s is not None),
        letters=[_letter_of(row) for row in rows],
    )


def _letter_of(row: Mapping[str, Any]) -> Letter:
    return Letter(
        number=row["number"],
        attempt=row["attempts"],
        event_id=str(row["event_id"]),
        event=event_of({**row, "id": row["event_id"]}) if row["data"] is not None else None,
    )


def _delivery_of(row: Mapping[str, Any]) -> Delivery:
    names = [name for name in Delivery.__struct_fields__ if name not in {"event_id", "state"}]
    return Delivery(
        event_id=str(row["event_id"]),
        state=DeliveryState(row["state"]),
        **{name: row[name] for name in names},
    )
