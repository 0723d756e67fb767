"""An import as it streams in: a batch of lines at a time, in bounded memory.

Owns two promises. A line that was taken in before is not taken in again, whatever became of the
import it came with; and it is never overwritten, because somebody may have worked on it since.
"""

from collections.abc import AsyncIterator
from typing import Literal

import msgspec

from actors.ingest.messages import ImportContent, IngestMessage, WriteMany, Written
from engarde_daemon.api.decoding import decode_json
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.transfer.cutting import Cutter
from engarde_daemon.api.transfer.lines import ImportedItem, LastLine, read_last_line
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import (
    EngardeError,
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Rejected,
    Retryable,
)

BATCH_LINES = 125
BATCH_BYTES = 2 * 1024 * 1024
ERRORS_MAX = 100
BRANDS_MAX = 1_000

Checksum = Literal["right", "wrong", "missing"]


class LineError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a line was not taken in."""

    line: int
    type: str
    errors: list[FieldError]


class Imported(msgspec.Struct, kw_only=True):
    """What became of an import; `errors` holds the first hundred.

    `unchanged` items were taken in before. `detached` ones came with a campaign space that is none
    of the caller's, and were taken in without it. `checksum` is that of the last line.
    """

    items: int = 0
    imported: int = 0
    unchanged: int = 0
    failed: int = 0
    detached: int = 0
    checksum: Checksum = "missing"
    errors: list[LineError] = msgspec.field(default_factory=list)

    def refuse(self, line: int, error: EngardeError) -> None:
        """Count an item that failed, and say why."""
        self.failed += 1
        if len(self.errors) < ERRORS_MAX:
            faults = error.errors if isinstance(error, Invalid) else [FieldError("", error.told)]
            self.errors.append(LineError(line=line, type=error.type_, errors=faults))


class Importer:
    """Takes in the lines of one import, each for itself.

    Whatever does not name a brand of the caller's goes into `brand_id`; with `whole`, everything.
    """

    def __init__(
        self,
        ingest: Address[IngestMessage],
        fence: Fence,
        *,
        principal: Principal,
        brand_id: str,
        whole: bool,
        timeout_s: float,
    ) -> None:
        self._ingest = ingest
        self._fence = fence
        self._principal = principal
        self._brand_id = brand_id
        self._whole = whole
        self._timeout_s = timeout_s
        self._brands: dict[str, str] = {}
        self._told = Imported()
        self._batch: list[ImportContent] = []
        self._lines: list[int] = []
        self._size = 0

    async def take_in(self, chunks: AsyncIterator[bytes], *, line_bytes_max: int) -> Imported:
        """Take in what comes until it ends.

        Raises:
            Unavailable: A store does not answer; what came before is taken in.
        """
        cutter = Cutter(line_bytes_max)
        async for chunk in chunks:
            for line in cutter.feed(chunk):
                await self._take(line, cutter)
        for line in cutter.end():
            await self._take(line, cutter)
        await self._flush()
        return self._told

    async def _take(self, line: bytes | None, cutter: Cutter) -> None:
        if line is not None and not line.strip():
            return
        last = read_last_line(line) if line is not None else None
        if last is not None:
            self._compare(last, cutter.checksum)
            return
        self._told.items += 1
        try:
            await self._plan(line, cutter.number)
        except Rejected as error:
            self._told.refuse(cutter.number, error)
        if len(self._batch) >= BATCH_LINES or self._size >= BATCH_BYTES:
            await self._flush()

    async def _plan(self, line: bytes | None, number: int) -> None:
        if line is None:
            raise Malformed("The line is longer than [server] max_body_bytes allows.")
        item = decode_json(line, ImportedItem)
        brand_id = await self._brand_of(item)
        keeps_space = await self._knows_space(item)
        self._batch.append(
            ImportContent(
                tenant_id=self._principal.tenant_id,
                brand_id=brand_id,
                user_id=self._principal.user_id,
                parcel=item.parcel(keeps_space=keeps_space),
            )
        )
        self._told.detached += not keeps_space
        self._lines.append(number)
        self._size += len(line)

    async def _flush(self) -> None:
        if not self._batch:
            return
        answers = await self._ingest.ask(
            WriteMany(writes=tuple(self._batch)), timeout_s=self._timeout_s
        )
        for line, answer in zip(self._lines, answers, strict=True):
            if isinstance(answer, Retryable):
                raise answer
            if not isinstance(answer, Written):
                self._told.refuse(line, answer)
            elif answer.is_new:
                self._told.imported += 1
            else:
                self._told.unchanged += 1
        self._batch, self._lines, self._size = [], [], 0

    async def _brand_of(self, item: ImportedItem) -> str:
        named = item.brand_id
        if self._whole or named is None or named == self._brand_id:
            return self._brand_id
        if named not in self._brands:
            if len(self._brands) >= BRANDS_MAX:
                self._brands.clear()
            try:
                brand_id = await self._fence.brand(self._principal, named, Role.ADMIN)
            except (NotFound, Forbidden):
                brand_id = self._brand_id
            self._brands[named] = brand_id
        return self._brands[named]

    async def _knows_space(self, item: ImportedItem) -> bool:
        try:
            await self._fence.require_space(self._principal, item.campaign_space_id)
        except Invalid:
            return False
        return True

    def _compare(self, last: LastLine, checksum: str) -> None:
        is_right = last.items == self._told.items and last.sha256 == checksum
        self._told.checksum = "right" if is_right else "wrong"
