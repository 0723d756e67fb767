"""The routes of campaign spaces, and what is done behind them."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath
from msgspec import Meta

from actors.registrar.messages import AddSpace, RegistrarMessage
from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call, idempotency_of
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.content.schemas import Id, is_id
from engarde_daemon.api.contract import (
    BRAND_ID,
    IDEMPOTENCY_KEY,
    LOCATION,
    REPLAYED,
    Answer,
    promise,
)
from engarde_daemon.api.decoding import decode_json, decode_query
from engarde_daemon.api.fence import Fence, is_open
from engarde_daemon.api.giving import Given
from engarde_daemon.api.paging import Mark, Page, PageSize, page_of
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import KeyReused, NotFound
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.register import CampaignSpace, NewSpace, RegisterReader, SpaceKey

Asked = Request[Principal, Any, Any]

# The labels of the platform's type `adplatform`.
Platform = Literal[
    "google_ads", "meta", "linkedin", "twitter", "tiktok", "snapchat", "pinterest", "reddit",
    "amazon_ads", "microsoft_ads", "youtube", "other",
]  # fmt: skip
Words = Annotated[str, Meta(min_length=1, max_length=255)]


class SpaceCreate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new campaign space."""

    campaign_name: Words
    platform: Platform
    external_campaign_id: Words | None = None
    brand_id: Id | None = None


class SpaceQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of a list of campaign spaces."""

    brand_id: Id | None = None
    platform: Platform | None = None
    cursor: Mark | None = None
    page_size: PageSize = msgspec.field(default=20, name="pageSize")


class SpaceDesk:
    """Serves the routes of campaign spaces."""

    def __init__(
        self,
        *,
        registrar: Address[RegistrarMessage],
        register: RegisterReader,
        fence: Fence,
        new_id: Callable[[], str],
        timeout_s: float,
    ) -> None:
        self._registrar = registrar
        self._register = register
        self._fence = fence
        self._new_id = new_id
        self._timeout_s = timeout_s

    async def create(self, call: Call, wish: SpaceCreate) -> Response[bytes]:
        """Make a space, or answer as before to a request that comes again."""
        wanted = wish.brand_id or call.headers.get("x-brand-id")
        brand_id = await self._fence.brand(call.principal, wanted, Role.EDITOR)
        space = NewSpace(
            id=self._id_for(call),
            tenant_id=call.principal.tenant_id,
            brand_id=brand_id,
            user_id=call.principal.user_id,
            campaign_name=wish.campaign_name,
            platform=wish.platform,
            external_campaign_id=wish.external_campaign_id,
        )
        made = await self._registrar.ask(AddSpace(space), timeout_s=self._timeout_s)
        if not _says_the_same(made.space, space):
            raise KeyReused
        headers = {"Location": f"/api/campaign-spaces/{made.space.id}"}
        if not made.is_new:
            headers["Idempotent-Replayed"] = "true"
        return Response(
            msgspec.json.encode(made.space),
            status_code=201,
            media_type="application/json",
            headers=headers,
        )

    async def read(self, principal: Principal, space_id: str) -> CampaignSpace:
        """One space."""
        space = None
        if is_id(space_id):
            space = await self._register.campaign_space(SpaceKey(principal.tenant_id, space_id))
        if space is None or not is_open(principal, space):
            raise NotFound("There is no such campaign space.")
        return space

    async def page(self, principal: Principal, query: SpaceQuery) -> Page[CampaignSpace]:
        """A page of the spaces that are open to the caller."""
        brand_ids = None if principal.brands is None else list(principal.brands)
        if query.brand_id is not None:
            brand_ids = [await self._fence.brand(principal, query.brand_id, Role.VIEWER)]
        found = await self._register.campaign_spaces(
            principal.tenant_id,
            brand_ids=brand_ids,
            platform=query.platform,
            after=query.cursor.place if query.cursor else None,
            size=query.page_size + 1,
        )
        return page_of(found, _place_of, size=query.page_size)

    def _id_for(self, call: Call) -> str:
        """An id that is computed where the caller promised to repeat itself only (ADR 0003)."""
        promise = idempotency_of(call, "")
        if promise is None:
            return self._new_id()
        said = f"urn:engarde:space:{call.principal.tenant_id}:{promise.principal_id}:{promise.key}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, said))


class CampaignSpacesController(Controller):
    """Make, list and read campaign spaces."""

    path = "/api/campaign-spaces"
    tags = ("campaigns",)
    guards = (reaches(Role.VIEWER),)

    @post(
        operation_id="createCampaignSpace",
        guards=[reaches(Role.EDITOR)],
        opt=promise(
            body=SpaceCreate,
            headers=(BRAND_ID, IDEMPOTENCY_KEY),
            answers={
                201: Answer(says="The space.", shape=CampaignSpace, headers=(LOCATION, REPLAYED))
            },
            errors=(NotFound, KeyReused),
        ),
    )
    async def create(self, request: Asked, space_desk: Given[SpaceDesk]) -> Response[bytes]:
        """Make a campaign space."""
        wish = decode_json(await request.body(), SpaceCreate)
        return await space_desk.create(Call(request.user, request.headers), wish)

    @get(
        operation_id="listCampaignSpaces",
        opt=promise(query=SpaceQuery, errors=(NotFound,)),
    )
    async def page(self, request: Asked, space_desk: Given[SpaceDesk]) -> Page[CampaignSpace]:
        """A page of campaign spaces, newest first."""
        query = decode_query(query_of(request.scope["query_string"]), SpaceQuery)
        return await space_desk.page(request.user, query)

    @get("/{space_id:str}", operation_id="readCampaignSpace")
    async def read(
        self, request: Asked, space_id: FromPath[str], space_desk: Given[SpaceDesk]
    ) -> CampaignSpace:
        """One campaign space."""
        return await space_desk.read(request.user, space_id)


def _says_the_same(space: CampaignSpace, wish: NewSpace) -> bool:
    told = (space.brand_id, space.campaign_name, space.platform, space.external_campaign_id)
    return told == (wish.brand_id, wish.campaign_name, wish.platform, wish.external_campaign_id)


def _place_of(space: CampaignSpace) -> Place:
    return Place(space.created_at, space.id)
