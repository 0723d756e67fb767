"""The routes of brands and their voices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, put
from litestar.params import FromPath

from actors.registrar.messages import PutVoice, RegistrarMessage
from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call, etag_of, expected_version, unchanged
from engarde_daemon.api.contract import (
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    Answer,
    promise,
)
from engarde_daemon.api.decoding import decode_json
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.giving import Given
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Invalid, VersionConflict
from engarde_daemon.domain.voice import Voice, contradictions
from engarde_daemon.ports.register import KeptVoice, RegisterReader

Asked = Request[Principal, Any, Any]


class BrandView(msgspec.Struct, frozen=True, kw_only=True):
    """A brand, and what the caller is in it."""

    id: str
    name: str
    role: Role
    is_default: bool


class BrandList(msgspec.Struct, frozen=True, kw_only=True):
    """All brands of the caller."""

    data: list[BrandView]


class VoiceView(Voice, frozen=True, kw_only=True):
    """A brand's voice as it stands; version 0 is the one that nobody has set yet."""

    brand_id: str
    version: int = 0
    updated_by: str | None = None
    updated_at: datetime | None = None


class BrandDesk:
    """Serves the routes of brands."""

    def __init__(
        self,
        *,
        registrar: Address[RegistrarMessage],
        register: RegisterReader,
        fence: Fence,
        timeout_s: float,
    ) -> None:
        self._registrar = registrar
        self._register = register
        self._fence = fence
        self._timeout_s = timeout_s

    async def page(self, principal: Principal) -> BrandList:
        """The brands that are the caller's."""
        brands = await self._register.brands(principal.tenant_id)
        views = [
            BrandView(
                id=brand.id, name=brand.name, role=role, is_default=brand.id == principal.brand_id
            )
            for brand in brands
            if (role := principal.role_in(brand.id)) is not None
        ]
        return BrandList(data=views)

    async def read_voice(self, call: Call, brand_id: str) -> Response[bytes]:
        """The voice of a brand."""
        await self._fence.brand(call.principal, brand_id, Role.VIEWER)
        kept = await self._register.voice(call.principal.tenant_id, brand_id)
        return _answer(brand_id, kept, call.headers)

    async def put_voice(self, call: Call, brand_id: str, voice: Voice) -> Response[bytes]:
        """Replace the voice of a brand."""
        await self._fence.brand(call.principal, brand_id, Role.ADMIN)
        kept = await self._registrar.ask(
            PutVoice(
                tenant_id=call.principal.tenant_id,
                brand_id=brand_id,
                voice=voice,
                by=call.principal.user_id,
                expected=expected_version(call.headers),
            ),
            timeout_s=self._timeout_s,
        )
        return _answer(brand_id, kept, {})


class BrandsController(Controller):
    """The brands of the caller, and how they speak."""

    path = "/api/brands"
    tags = ("brands",)
    guards = (reaches(Role.VIEWER),)

    @get(operation_id="listBrands")
    async def page(self, request: Asked, brand_desk: Given[BrandDesk]) -> BrandList:
        """The brands that the caller reaches, with the role it has in each."""
        return await brand_desk.page(request.user)

    @get(
        "/{brand_id:str}/voice",
        operation_id="readVoice",
        opt=promise(
            headers=(IF_NONE_MATCH,),
            answers={
                200: Answer(says="The voice.", shape=VoiceView, headers=(ETAG,)),
                304: Answer(says="It is still at the version you have.", headers=(ETAG,)),
            },
        ),
    )
    async def read_voice(
        self, request: Asked, brand_id: FromPath[str], brand_desk: Given[BrandDesk]
    ) -> Response[bytes]:
        """How a brand speaks."""
        return await brand_desk.read_voice(Call(request.user, request.headers), brand_id)

    @put(
        "/{brand_id:str}/voice",
        operation_id="replaceVoice",
        guards=[reaches(Role.ADMIN)],
        opt=promise(
            body=Voice,
            headers=(IF_MATCH,),
            answers={
                200: Answer(says="The voice as it now stands.", shape=VoiceView, headers=(ETAG,))
            },
            errors=(VersionConflict,),
        ),
    )
    async def put_voice(
        self, request: Asked, brand_id: FromPath[str], brand_desk: Given[BrandDesk]
    ) -> Response[bytes]:
        """Say how a brand speaks from now on; what is left out takes its default."""
        voice = decode_json(await request.body(), Voice)
        if faults := list(contradictions(voice)):
            raise Invalid(faults)
        return await brand_desk.put_voice(Call(request.user, request.headers), brand_id, voice)


def _answer(brand_id: str, kept: KeptVoice | None, asked: Mapping[str, str]) -> Response[bytes]:
    view = _view_of(brand_id, kept)
    headers = {"ETag": etag_of(view.version)}
    if unchanged(asked, view.version):
        return Response(b"", status_code=304, headers=headers)
    return Response(msgspec.json.encode(view), media_type="application/json", headers=headers)


def _view_of(brand_id: str, kept: KeptVoice | None) -> VoiceView:
    if kept is None:
        return VoiceView(brand_id=brand_id)
    return VoiceView(
        **msgspec.structs.asdict(kept.voice),
        brand_id=brand_id,
        version=kept.version,
        updated_by=kept.updated_by,
        updated_at=kept.updated_at,
    )
