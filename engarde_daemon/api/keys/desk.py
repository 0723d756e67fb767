"""What is done for a caller who manages keys.

Owns the rule that a key never opens more than its maker may: not in role, not in brands. The same
rule says which keys somebody sees and may delete.
"""

from collections.abc import Callable
from datetime import datetime

from litestar import Response
from msgspec import json

from actors.registrar.messages import CreateKey, RegistrarMessage, RevokeKey
from engarde_daemon.api.calls import Call, idempotency_of
from engarde_daemon.api.content.schemas import is_id
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.keys.schemas import KeyCreate, KeyQuery, KeyRevoked, KeyView, view_of
from engarde_daemon.api.paging import Page, page_of
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import FieldError, Forbidden, Invalid, NotFound
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.register import KeyFilters, RegisterReader


class KeyDesk:
    """Serves the routes of keys."""

    def __init__(
        self,
        *,
        registrar: Address[RegistrarMessage],
        register: RegisterReader,
        fence: Fence,
        now: Callable[[], datetime],
        timeout_s: float,
    ) -> None:
        self._registrar = registrar
        self._register = register
        self._fence = fence
        self._now = now
        self._timeout_s = timeout_s

    async def create(self, call: Call, wish: KeyCreate) -> Response[bytes]:
        """Make a key and show its secret, this once."""
        principal = call.principal
        brand_id = await self._brand(principal, wish)
        if not principal.may_grant(wish.role, wish.brand_ids):
            raise Forbidden("A key can open no more than you may as an administrator yourself.")
        if wish.expires_at is not None and wish.expires_at.utc <= self._now():
            raise Invalid([FieldError("expires_at", "lies in the past")])
        promise = idempotency_of(call, "")
        made = await self._registrar.ask(
            CreateKey(
                tenant_id=principal.tenant_id,
                brand_id=brand_id,
                brand_ids=wish.brand_ids,
                user_id=principal.user_id,
                role=wish.role,
                name=wish.name,
                expires_at=wish.expires_at.utc if wish.expires_at else None,
                created_by=principal.user_id,
                promise=f"{principal.key_id} {promise.key}" if promise else None,
            ),
            timeout_s=self._timeout_s,
        )
        view = view_of(made.record, at=self._now(), secret=made.key)
        return Response(
            json.encode(view),
            status_code=201,
            media_type="application/json",
            headers={"Location": f"/api/keys/{view.id}"},
        )

    async def page(self, call: Call, query: KeyQuery) -> Page[KeyView]:
        """A page of the keys that the caller could have made."""
        records = await self._register.keys(
            call.principal.tenant_id,
            filters=_open_to(call.principal),
            after=query.cursor.place if query.cursor else None,
            size=query.page_size + 1,
        )
        views = [view_of(record, at=self._now()) for record in records]
        return page_of(views, lambda view: Place(view.created_at, view.id), size=query.page_size)

    async def revoke(self, call: Call, key_id: str) -> KeyRevoked:
        """Let a key open nothing any more."""
        filters = _open_to(call.principal, key_id)
        if not is_id(key_id) or not await self._register.keys(
            call.principal.tenant_id, filters=filters
        ):
            raise NotFound("There is no such key.")
        revoked_at = await self._registrar.ask(
            RevokeKey(tenant_id=call.principal.tenant_id, key_id=key_id), timeout_s=self._timeout_s
        )
        return KeyRevoked(
            message="The key opens nothing any more, within seconds on every daemon",
            id=key_id,
            revoked_at=revoked_at,
        )

    async def _brand(self, principal: Principal, wish: KeyCreate) -> str:
        """The key's default brand, once all its brands were found to be the maker's."""
        for brand_id in wish.brand_ids or ():
            await self._fence.brand(principal, brand_id, Role.ADMIN)
        if wish.brand_ids is None:
            return await self._fence.brand(principal, wish.brand_id, Role.ADMIN)
        if wish.brand_id is not None and wish.brand_id not in wish.brand_ids:
            raise Invalid([FieldError("brand_id", "must be one of brand_ids")])
        return wish.brand_id or wish.brand_ids[0]


def _open_to(principal: Principal, key_id: str | None = None) -> KeyFilters:
    """The keys of which `may_grant` is true: an administrator's, and not above the caller."""
    return KeyFilters(
        key_id=key_id,
        brand_ids=principal.governed(),
        roles=[role.value for role in Role if principal.role.reaches(role)],
    )
