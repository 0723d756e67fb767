"""The routes by which content leaves and comes in as lines of JSON."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

import anyio
import msgspec
from litestar import Controller, Request, get, post
from litestar.exceptions import HTTPException
from litestar.response import Stream

from actors.ingest.messages import IngestMessage
from engarde_daemon.api.access import reaches
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.contract import BRAND_ID, Answer, promise
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.giving import Given
from engarde_daemon.api.trail import AUDITED
from engarde_daemon.api.transfer.exporting import Exporter, gzipped
from engarde_daemon.api.transfer.importing import Imported, Importer
from engarde_daemon.api.transfer.lines import MEDIA_TYPE, ExportedItem, ImportedItem, LastLine
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Forbidden, NotFound
from engarde_daemon.ports.lists import Shelves, SortedPlace

RECEIVE_LIMIT_S = 60.0

Asked = Request[Principal, Any, Any]


class ExportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted: one brand or all of the tenant's, from the start or after an item."""

    brand_id: Id | None = None
    after: Id | None = None


class ImportQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it all shall go; without a brand, each line into its own where that is the caller's."""

    brand_id: Id | None = None


class TransferDesk:
    """Serves exports and imports."""

    def __init__(
        self,
        *,
        ingest: Address[IngestMessage],
        shelves: Shelves,
        exporter: Exporter,
        fence: Fence,
        now: Callable[[], datetime],
        line_bytes_max: int,
        write_timeout_s: float,
    ) -> None:
        self._ingest = ingest
        self._shelves = shelves
        self._exporter = exporter
        self._fence = fence
        self._now = now
        self._line_bytes_max = line_bytes_max
        self._timeout_s = write_timeout_s

    async def export(self, principal: Principal, query: ExportQuery) -> AsyncIterator[bytes]:
        """The lines of everything that is wanted.

        Raises:
            NotFound: There is no such brand, or no such item to go on after.
            Forbidden: The caller is no administrator of all that is wanted.
        """
        brand_ids = await self._brands(principal, query.brand_id)
        after: SortedPlace | None = None
        if query.after is not None:
            place = await self._shelves.place_of(principal.tenant_id, query.after)
            if place is None or place[0] not in brand_ids:
                raise NotFound("There is no such content to go on after. Start from the beginning.")
            brand_id, after = place
            brand_ids = brand_ids[brand_ids.index(brand_id) :]
        return self._exporter.lines(principal.tenant_id, brand_ids, after=after, until=self._now())

    async def import_(
        self,
        principal: Principal,
        chunks: AsyncIterator[bytes],
        *,
        wanted: str | None,
        usual: str | None,
    ) -> Imported:
        """Take in the lines that come."""
        brand_id = await self._fence.brand(principal, wanted or usual, Role.ADMIN)
        importer = Importer(
            self._ingest,
            self._fence,
            principal=principal,
            brand_id=brand_id,
            whole=wanted is not None,
            timeout_s=self._timeout_s,
        )
        return await importer.take_in(chunks, line_bytes_max=self._line_bytes_max)

    async def _brands(self, principal: Principal, wanted: str | None) -> list[str]:
        if wanted is not None:
            return [await self._fence.brand(principal, wanted, Role.ADMIN)]
        if not principal.reaches(Role.ADMIN, None):
            raise Forbidden("Only an administrator of the whole tenant may export all of it.")
        return await self._shelves.brands(principal.tenant_id)


class TransferController(Controller):
    """Export and import."""

    path = "/api/content"
    tags = ("transfer",)
    guards = (reaches(Role.ADMIN),)

    @get(
        "/export",
        operation_id="exportContent",
        opt={
            AUDITED: True,
            **promise(
                query=ExportQuery,
                answers={
                    200: Answer(
                        says="A line for each item, and one that proves the others.",
                        items=ExportedItem | LastLine,
                        media_type=MEDIA_TYPE,
                    )
                },
                errors=(NotFound,),
            ),
        },
    )
    async def export(self, request: Asked, transfer: Given[TransferDesk]) -> Stream:
        """Everything of a brand or of the tenant, a line of JSON each."""
        query = decode_query(query_of(request.scope["query_string"]), ExportQuery)
        lines = await transfer.export(request.user, query)
        headers = {"Vary": "Accept-Encoding"}
        if _takes_gzip(request.headers):
            lines, headers["Content-Encoding"] = gzipped(lines), "gzip"
        return Stream(lines, media_type=MEDIA_TYPE, headers=headers)

    @post(
        "/import",
        operation_id="importContent",
        status_code=200,
        request_max_body_size=None,  # a line is bounded, not the whole
        opt=promise(
            query=ImportQuery,
            lines=ImportedItem | LastLine,
            media_type=MEDIA_TYPE,
            headers=(BRAND_ID,),
            errors=(NotFound,),
            statuses=(400, 408),
        ),
    )
    async def import_(self, request: Asked, transfer: Given[TransferDesk]) -> Imported:
        """Take in lines of JSON, as an export gives them; those taken in before are left alone."""
        query = decode_query(query_of(request.scope["query_string"]), ImportQuery)
        if request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(status_code=415, detail="Send the lines uncompressed.")
        return await transfer.import_(
            request.user,
            _body_of(request),
            wanted=query.brand_id,
            usual=request.headers.get("x-brand-id"),
        )


async def _body_of(request: Asked) -> AsyncIterator[bytes]:
    """The body as it comes.

    Raises:
        HTTPException: It does not go on, or was cut off.
    """
    more = True
    while more:
        try:
            with anyio.fail_after(RECEIVE_LIMIT_S):
                event: Any = await request.receive()
        except TimeoutError:
            raise HTTPException(status_code=408, detail="The body does not go on.") from None
        if event["type"] == "http.disconnect":
            raise HTTPException(status_code=400, detail="The body was cut off.")
        yield event["body"]
        more = event["more_body"]


def _takes_gzip(headers: Mapping[str, str]) -> bool:
    """Whether the caller asks for gzip (RFC 9110, section 12.5.3)."""
    for choice in headers.get("accept-encoding", "").split(","):
        name, _, weight = choice.partition(";")
        if name.strip().lower() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
