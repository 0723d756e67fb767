"""What is done for a caller who comes with a campaign to be imported, or asks for an import."""

import hashlib
import uuid
from collections.abc import AsyncIterator, Callable

import msgspec
from litestar import Response

from actors.dispatcher.actor import NO_IMPORT
from actors.dispatcher.messages import BeginImport, CancelImport, DispatcherMessage
from actors.importer.estimating import Estimator
from engarde_daemon.api.calls import Call, idempotency_of
from engarde_daemon.api.content.schemas import is_id
from engarde_daemon.api.fence import Fence, is_open, require_role
from engarde_daemon.api.imports.receiving import Receiver
from engarde_daemon.api.imports.schemas import (
    AssetsQuery,
    AssetView,
    FileQuery,
    ImportsQuery,
    ImportView,
    ImportWish,
    asset_view,
    created_view,
    import_view,
)
from engarde_daemon.api.paging import Onward, Page, page_of
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.changes import Idempotency
from engarde_daemon.domain.errors import FieldError, Invalid, NotFound
from engarde_daemon.domain.importing import DAYS_MAX, AssetState, ImportSpec, Origin, Platform
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.importing import (
    Begun,
    ImportDraft,
    ImportKey,
    ImportLibrary,
    ImportRecord,
)
from engarde_daemon.ports.register import CampaignSpace, RegisterReader, SpaceKey

ERRORS_SHOWN = 10
NO_SPACE = "There is no such campaign space."


class ImportDesk:
    """Serves the routes of imports."""

    def __init__(
        self,
        *,
        dispatcher: Address[DispatcherMessage],
        library: ImportLibrary,
        register: RegisterReader,
        estimator: Estimator,
        receiver: Receiver,
        fence: Fence,
        new_id: Callable[[], str],
        timeout_s: float,
    ) -> None:
        self._dispatcher = dispatcher
        self._library = library
        self._register = register
        self._estimator = estimator
        self._receiver = receiver
        self._fence = fence
        self._new_id = new_id
        self._timeout_s = timeout_s

    async def start(
        self, call: Call, space_id: str, *, wish: ImportWish, raw: bytes
    ) -> Response[bytes]:
        """Begin an import, or answer as before to a request that comes again."""
        spec = _checked(wish.spec())
        space = await self._space(call.principal, space_id)
        origin = await self._origin(
            call, space, platform=Platform(wish.platform), campaign_id=wish.external_campaign_id
        )
        fingerprint = hashlib.sha256(f"import {space_id} ".encode() + raw).hexdigest()
        job_id = self._id_for(call.principal, idempotency_of(call, fingerprint))
        key = ImportKey(call.principal.tenant_id, job_id)
        estimated = 0
        if await self._library.job(key) is None:
            estimated = await self._estimator.estimate(origin)
        draft = ImportDraft(
            id=job_id,
            origin=origin,
            user_id=call.principal.user_id,
            spec=spec,
            fingerprint=fingerprint,
            estimated_assets=estimated,
        )
        begun = await self._dispatcher.ask(BeginImport(draft), timeout_s=self._timeout_s)
        return await self._accepted(key, is_replayed=begun is Begun.EXISTS)

    async def receive(
        self, call: Call, space_id: str, *, query: FileQuery, chunks: AsyncIterator[bytes]
    ) -> Response[bytes]:
        """Take an export in, row by row, and begin its import."""
        space = await self._space(call.principal, space_id)
        origin = await self._origin(
            call, space, platform=Platform.FILE, campaign_id=query.external_campaign_id or "file"
        )
        job_id = self._new_id()
        draft = ImportDraft(
            id=job_id,
            origin=origin,
            user_id=call.principal.user_id,
            spec=ImportSpec(
                include_inactive=query.include_inactive,
                import_performance=query.import_performance,
            ),
            fingerprint="",
            is_receiving=True,
        )
        await self._receiver.receive(draft, chunks)
        return await self._accepted(ImportKey(call.principal.tenant_id, job_id), is_replayed=False)

    async def read(self, principal: Principal, job_id: str) -> ImportView:
        """One import as it stands, with its first failures."""
        job = await self._find(principal, job_id)
        return await self._view(principal, job)

    async def page(self, principal: Principal, query: ImportsQuery) -> Page[ImportView]:
        """A page of imports that are open to the caller."""
        brand_ids = None if principal.brands is None else list(principal.brands)
        if query.brand_id is not None:
            brand_ids = [await self._fence.brand(principal, query.brand_id, Role.VIEWER)]
        found = await self._library.jobs(
            principal.tenant_id,
            brand_ids=brand_ids,
            statuses=[status.value for status in query.status] if query.status else None,
            after=query.cursor.place if query.cursor else None,
            size=query.page_size + 1,
        )
        return page_of([import_view(job) for job in found], _place_of, size=query.page_size)

    async def items(self, principal: Principal, job_id: str, query: AssetsQuery) -> Page[AssetView]:
        """A page of what became of an import's assets, by number."""
        job = await self._find(principal, job_id)
        found = await self._library.items(
            ImportKey(principal.tenant_id, job.id),
            states=[state.value for state in query.state] if query.state else None,
            after=query.cursor.number if query.cursor else 0,
            size=query.page_size + 1,
        )
        data = [asset_view(item) for item in found[: query.page_size]]
        has_next = len(found) > query.page_size
        next_cursor = str(data[-1].number) if has_next else None
        onward = Onward(page_size=query.page_size, has_next=has_next, next_cursor=next_cursor)
        return Page(data=data, pagination=onward)

    async def cancel(self, principal: Principal, job_id: str) -> ImportView:
        """Import nothing more; what was imported stays."""
        await self._find(principal, job_id, Role.EDITOR)
        key = ImportKey(principal.tenant_id, job_id)
        await self._dispatcher.ask(CancelImport(key), timeout_s=self._timeout_s)
        return await self.read(principal, job_id)

    async def _view(self, principal: Principal, job: ImportRecord) -> ImportView:
        errors = []
        if job.failed:
            key = ImportKey(principal.tenant_id, job.id)
            errors = await self._library.items(
                key, states=[AssetState.FAILED.value], after=0, size=ERRORS_SHOWN
            )
        return import_view(job, errors)

    async def _space(self, principal: Principal, space_id: str) -> CampaignSpace:
        space = None
        if is_id(space_id):
            space = await self._register.campaign_space(SpaceKey(principal.tenant_id, space_id))
        if space is None or not is_open(principal, space):
            raise NotFound(NO_SPACE)
        return space

    async def _origin(
        self, call: Call, space: CampaignSpace, *, platform: Platform, campaign_id: str | None
    ) -> Origin:
        wanted = space.brand_id or call.headers.get("x-brand-id")
        campaign_id = campaign_id or space.external_campaign_id
        if not campaign_id:
            told = "is required: the campaign space names no campaign"
            raise Invalid([FieldError("external_campaign_id", told)])
        return Origin(
            tenant_id=call.principal.tenant_id,
            brand_id=await self._fence.brand(call.principal, wanted, Role.EDITOR),
            space_id=space.id,
            platform=platform,
            campaign_id=campaign_id,
        )

    async def _find(
        self, principal: Principal, job_id: str, required: Role = Role.VIEWER
    ) -> ImportRecord:
        job = None
        if is_id(job_id):
            job = await self._library.job(ImportKey(principal.tenant_id, job_id))
        if job is None:
            raise NotFound(NO_IMPORT)
        require_role(principal, job.brand_id, required, missing=NO_IMPORT)
        return job

    async def _accepted(self, key: ImportKey, *, is_replayed: bool) -> Response[bytes]:
        job = await self._library.job(key)
        if job is None:
            raise NotFound(NO_IMPORT)
        headers = {"Location": f"/api/import-jobs/{job.id}"}
        if is_replayed:
            headers["Idempotent-Replayed"] = "true"
        return Response(
            msgspec.json.encode(created_view(job, is_new=not is_replayed)),
            status_code=202,
            media_type="application/json",
            headers=headers,
        )

    def _id_for(self, principal: Principal, promise: Idempotency | None) -> str:
        """An id that is computed where the caller promised to repeat itself only (ADR 0003)."""
        if promise is None:
            return self._new_id()
        said = f"urn:engarde:import:{principal.tenant_id}:{promise.principal_id}:{promise.key}"
        return str(uuid.uuid5(uuid.NAMESPACE_URL, said))


def _checked(spec: ImportSpec) -> ImportSpec:
    days = spec.date_range
    if days is not None and days.end < days.start:
        raise Invalid([FieldError("import_options.date_range.end", "must not be before start")])
    if days is not None and (days.end - days.start).days >= DAYS_MAX:
        too_long = f"may span at most {DAYS_MAX} days"
        raise Invalid([FieldError("import_options.date_range", too_long)])
    return spec


def _place_of(view: ImportView) -> Place:
    return Place(view.created_at, view.import_job_id)
