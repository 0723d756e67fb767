"""The routes of API keys."""

from typing import Any

from litestar import Controller, Request, Response, delete, get, post
from litestar.params import FromPath

from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import IDEMPOTENCY_KEY, LOCATION, Answer, promise
from engarde_daemon.api.decoding import decode_json, decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.api.keys.desk import KeyDesk
from engarde_daemon.api.keys.schemas import KeyCreate, KeyQuery, KeyRevoked, KeyView
from engarde_daemon.api.paging import Page
from engarde_daemon.api.trail import AUDITED
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Conflict, NotFound

Asked = Request[Principal, Any, Any]


class KeysController(Controller):
    """Make, list and revoke the API keys of the caller's tenant."""

    path = "/api/keys"
    tags = ("access",)
    guards = (reaches(Role.ADMIN),)
    opt = {AUDITED: True}  # noqa: RUF012 - Litestar declares it so

    @post(
        operation_id="createKey",
        opt=promise(
            body=KeyCreate,
            headers=(IDEMPOTENCY_KEY,),
            answers={
                201: Answer(
                    says="The key with its secret, this once.", shape=KeyView, headers=(LOCATION,)
                )
            },
            errors=(NotFound, Conflict),
        ),
    )
    async def create(self, request: Asked, key_desk: Given[KeyDesk]) -> Response[bytes]:
        """Make a key; its secret is in this answer and nowhere else."""
        wish = decode_json(await request.body(), KeyCreate)
        return await key_desk.create(Call(request.user, request.headers), wish)

    @get(operation_id="listKeys", opt=promise(query=KeyQuery))
    async def page(self, request: Asked, key_desk: Given[KeyDesk]) -> Page[KeyView]:
        """A page of the keys that the caller may manage, newest first, revoked ones too."""
        query = decode_query(query_of(request.scope["query_string"]), KeyQuery)
        return await key_desk.page(Call(request.user, request.headers), query)

    @delete("/{key_id:str}", operation_id="revokeKey", status_code=200)
    async def revoke(
        self, request: Asked, key_id: FromPath[str], key_desk: Given[KeyDesk]
    ) -> KeyRevoked:
        """Let a key open nothing any more; doing it again changes nothing."""
        return await key_desk.revoke(Call(request.user, request.headers), key_id)
