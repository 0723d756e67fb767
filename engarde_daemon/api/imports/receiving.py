"""An export as it is uploaded: a batch of rows at a time, in bounded memory.

Owns that an export is imported whole or not at all: until its last row is in, nothing of it becomes
content, and an upload that breaks off or holds a row that nobody understands is cancelled.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime

import anyio

from actors.dispatcher.messages import (
    BeginImport,
    CancelImport,
    DispatcherMessage,
    ReceiveExport,
)
from engarde_daemon.core import ActorError, Address
from engarde_daemon.domain.errors import EngardeError, FieldError, Invalid
from engarde_daemon.domain.exports import ExportReader, Row
from engarde_daemon.ports.importing import ImportDraft, ImportKey, Portion

BATCH_ROWS = 200
CANCEL_S = 10.0


class Receiver:
    """Takes exports in."""

    def __init__(
        self,
        dispatcher: Address[DispatcherMessage],
        *,
        bytes_max: int,
        rows_max: int,
        timeout_s: float,
        now: Callable[[], datetime],
    ) -> None:
        self._dispatcher = dispatcher
        self._bytes_max = bytes_max
        self._rows_max = rows_max
        self._timeout_s = timeout_s
        self._now = now

    async def receive(self, draft: ImportDraft, chunks: AsyncIterator[bytes]) -> None:
        """Make an import of the rows that come.

        Raises:
            Invalid: A row cannot be understood, or there are none, or too many.
            Conflict: The import was cancelled meanwhile.
            Unavailable: PostgreSQL does not answer.
        """
        key = ImportKey(draft.origin.tenant_id, draft.id)
        await self._dispatcher.ask(BeginImport(draft), timeout_s=self._timeout_s)
        try:
            await self._take_in(key, chunks)
        except BaseException as error:
            told = error.told if isinstance(error, EngardeError) else "The upload broke off."
            await self._cancel(key, told[:500])
            raise

    async def _take_in(self, key: ImportKey, chunks: AsyncIterator[bytes]) -> None:
        reader, rows, size = ExportReader(today=self._now().date()), list[Row](), 0
        async for chunk in chunks:
            size += len(chunk)
            rows += reader.feed(chunk)
            if size > self._bytes_max or reader.number > self._rows_max:
                raise Invalid([FieldError("file", self._too_large())])
            while len(rows) > BATCH_ROWS:
                await self._send(key, rows[:BATCH_ROWS], is_last=False)
                del rows[:BATCH_ROWS]
        rows += reader.end()
        await self._send(key, rows, is_last=True)

    async def _send(self, key: ImportKey, rows: list[Row], *, is_last: bool) -> None:
        portion = Portion(
            assets=[row.asset for row in rows],
            figures=[row.figures for row in rows if row.figures is not None],
            is_last=is_last,
        )
        await self._dispatcher.ask(ReceiveExport(key, portion), timeout_s=self._timeout_s)

    async def _cancel(self, key: ImportKey, reason: str) -> None:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CANCEL_S):
            try:
                await self._dispatcher.ask(
                    CancelImport(key, reason=reason), timeout_s=self._timeout_s
                )
            except (ActorError, EngardeError):
                return  # its lease runs out, and the importer ends it

    def _too_large(self) -> str:
        return (
            f"may hold {self._bytes_max} bytes and {self._rows_max} rows ([imports] "
            "export_bytes_max and export_rows_max in engarde.toml)"
        )
