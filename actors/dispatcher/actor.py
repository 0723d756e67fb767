"""The dispatcher: the one way by which imports begin, are given their exports, and are cancelled."""

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from actors.dispatcher.messages import (
    BeginImport,
    CancelImport,
    DispatcherMessage,
    ReceiveExport,
)
from engarde_daemon.core import BatchActor, BatchLimit
from engarde_daemon.domain.errors import Conflict, Exhausted, KeyReused, NotFound
from engarde_daemon.ports.importing import Begun, ImportBook, ImportDraft

NO_IMPORT = "There is no such import."


class Dispatcher(BatchActor[DispatcherMessage]):
    """Changes imports, one at a time; its state is in the database."""

    batch = BatchLimit(messages=1)

    def __init__(self, book: ImportBook, *, imports_max: int, changed: Callable[[], None]) -> None:
        self._book = book
        self._imports_max = imports_max
        self._changed = changed

    async def receive_batch(self, messages: Sequence[DispatcherMessage]) -> Sequence[Any]:
        """Do what is asked, and have the importer look."""
        answers = [await self._serve(message) for message in messages]
        self._changed()
        return answers

    async def _serve(self, message: DispatcherMessage) -> Begun | None:
        match message:
            case BeginImport(draft=draft):
                return await self._begin(draft)
            case ReceiveExport(key=key, portion=portion):
                if not await self._book.receive(key, portion):
                    raise Conflict("The import was cancelled while its export was uploaded.")
            case CancelImport(key=key, reason=reason):
                done = await self._book.cancel(key, reason=reason)
                if done is None:
                    raise NotFound(NO_IMPORT)
                if not done:
                    raise Conflict("The import has ended already.")
            case _:
                assert_never(message)
        return None

    async def _begin(self, draft: ImportDraft) -> Begun:
        begun = await self._book.begin(draft, most=self._imports_max)
        if begun is Begun.REUSED:
            raise KeyReused
        if begun is Begun.BUSY:
            raise Exhausted(
                f"{self._imports_max} imports of this tenant are under way. Wait for one to end, "
                "or cancel one."
            )
        return begun
