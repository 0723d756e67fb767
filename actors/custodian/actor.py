"""The custodian: what is written down about media files, one step at a time.

Its state is in the database. Bytes never pass through it: whoever takes a file in stores them
between two of these steps, and whoever clears away comes after the last.
"""

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from actors.custodian.messages import (
    BeginUpload,
    CustodianMessage,
    DeleteMedia,
    ExtendUpload,
    GiveUpUpload,
    KeepUpload,
)
from engarde_daemon.core import BatchActor, BatchLimit
from engarde_daemon.ports.media import Keeping, MediaBook


class Custodian(BatchActor[CustodianMessage]):
    """Keeps the books of media files; `changed` is told when there is something to look at."""

    batch = BatchLimit(messages=1)

    def __init__(self, book: MediaBook, *, changed: Callable[[], None]) -> None:
        self._book = book
        self._changed = changed

    async def receive_batch(self, messages: Sequence[CustodianMessage]) -> Sequence[Any]:
        """Do what is asked, one thing at a time."""
        return [await self._serve(message) for message in messages]

    async def _serve(self, message: CustodianMessage) -> Any:
        match message:
            case BeginUpload(attempt=attempt, lease_s=lease_s):
                return await self._book.begin(attempt, lease_s=lease_s)
            case ExtendUpload(attempt=attempt, reservation_id=reservation_id, lease_s=lease_s):
                return await self._book.extend(attempt, reservation_id, lease_s=lease_s)
            case KeepUpload(attempt=attempt, file=file, promises=promises):
                kept = await self._book.keep(attempt, file, promises)
                if kept is Keeping.KEPT:
                    self._changed()
                return kept
            case GiveUpUpload(attempt=attempt):
                return await self._book.give_up(attempt)
            case DeleteMedia(tenant_id=tenant_id, media_id=media_id):
                return await self._book.delete(tenant_id, media_id)
            case _:
                assert_never(message)
