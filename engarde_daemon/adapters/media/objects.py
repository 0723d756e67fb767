"""The bytes of media files in an object store, through obstore.

Owns two rules. Every call runs in a thread of this store's own and has a deadline; obstore's
synchronous functions are used because its asynchronous ones can abort the process as it ends
(obstore 0.12.1). And no error text of the store gets out, for it may hold addresses and keys.
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import obstore
import structlog
from anyio import CapacityLimiter, to_thread
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore

from engarde_daemon.domain.errors import Corrupt, Unavailable
from engarde_daemon.domain.media import StorageProvider
from engarde_daemon.ports.media import NO_HEADERS, Span

THREADS = 8
PIECE_BYTES = 1024 * 1024
PART_BYTES = 8 * 1024 * 1024
PARTS_IN_FLIGHT = 2
LIST_ENTRIES = 500

T = TypeVar("T")

_LOG = structlog.get_logger("engarde.media")


class ObjectMediaStore:
    """The `MediaStore` port on any store that obstore knows."""

    def __init__(
        self, objects: ObjectStore, provider: StorageProvider, *, timeout_s: float
    ) -> None:
        self._objects = objects
        self._provider = provider
        self._timeout_s = timeout_s
        self._threads: CapacityLimiter | None = None

    @property
    def provider(self) -> StorageProvider:
        """See `MediaStore.provider`."""
        return self._provider

    async def put(
        self, path: str, chunks: AsyncIterator[bytes], *, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """See `MediaStore.put`."""
        with _translated():
            writer = obstore.open_writer(
                self._objects,
                path,
                attributes=self._attributes(headers),
                buffer_size=PART_BYTES,
                max_concurrency=PARTS_IN_FLIGHT,
            )
        async for piece in _gathered(chunks):
            await self._call(writer.write, piece)
        await self._call(writer.close)
        await self._call(self._make_durable, path)

    async def get(self, path: str, span: Span | None = None) -> AsyncIterator[bytes]:
        """See `MediaStore.get`."""
        wanted = None if span is None else (span.start, span.end)
        options: Any = {"range": wanted} if wanted else {}
        found = await self._call(partial(obstore.get, options=options), self._objects, path)
        if wanted not in {None, found.range}:
            raise Corrupt("A media file is shorter in its store than it was when it was kept.")
        pieces = iter(found.stream(min_chunk_size=PIECE_BYTES))
        while (piece := await self._call(next, pieces, None)) is not None:
            yield bytes(piece)

    async def signed_url(self, path: str, *, for_s: float) -> str | None:
        """See `MediaStore.signed_url`."""
        objects: Any = self._objects  # of one of the kinds that can sign
        return await self._call(obstore.sign, objects, "GET", path, timedelta(seconds=for_s))

    async def delete(self, paths: Sequence[str]) -> None:
        """See `MediaStore.delete`."""
        for path in paths:
            await self._call(self._remove, path)

    async def clear(self, folder: str) -> None:
        """See `MediaStore.clear`."""
        await self.delete([path async for path in self.list(folder)])

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """See `MediaStore.list`."""
        batches = iter(obstore.list(self._objects, prefix, chunk_size=LIST_ENTRIES))
        while (batch := await self._call(next, batches, None)) is not None:
            for entry in batch:
                yield entry["path"]

    def local_path(self, path: str) -> Path | None:
        """Where the object lies on this machine, if it does."""
        del path
        return None

    def _attributes(self, headers: Mapping[str, str]) -> dict[str, str] | None:
        return {**headers} or None

    def _make_durable(self, path: str) -> None:
        """Do what is left until the object outlives a power cut: nothing, for a remote store."""

    def _remove(self, path: str) -> None:
        try:
            obstore.delete(self._objects, path)
        except FileNotFoundError:
            return

    async def _call(self, work: Callable[..., T], *arguments: Any) -> T:
        if self._threads is None:  # it belongs to an event loop
            self._threads = CapacityLimiter(THREADS)
        with _translated(), anyio.fail_after(self._timeout_s):
            return await to_thread.run_sync(
                work, *arguments, abandon_on_cancel=True, limiter=self._threads
            )


class FolderMediaStore(ObjectMediaStore):
    """The same in a folder of this machine, where syncing to the disk is up to us."""

    def __init__(self, folder: Path, provider: StorageProvider, *, timeout_s: float) -> None:
        super().__init__(LocalStore(folder, mkdir=True), provider, timeout_s=timeout_s)
        self._folder = folder

    def local_path(self, path: str) -> Path | None:
        """Where the object lies in the folder."""
        return self._folder / path

    async def signed_url(self, path: str, *, for_s: float) -> str | None:
        """Nowhere but through the daemon."""
        del path, for_s
        return None

    async def clear(self, folder: str) -> None:
        """Remove the folder itself, with the halves of killed writers, which are not listed."""
        await self._call(_remove_tree, self._folder / folder)

    def _attributes(self, headers: Mapping[str, str]) -> dict[str, str] | None:
        """None: object_store 0.12 refuses them for folders."""
        del headers
        return None

    def _make_durable(self, path: str) -> None:
        file = self._folder / path
        _sync(file)
        for folder in file.parents:
            _sync(folder)
            if folder == self._folder:
                return

    def _remove(self, path: str) -> None:
        super()._remove(path)
        # What a killed writer leaves behind: object_store writes to `<name>#<n>` first.
        file = self._folder / path
        for attempt in file.parent.glob(f"{file.name}#*"):
            attempt.unlink(missing_ok=True)


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces that are worth the way into a thread."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        if len(held) >= PIECE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _remove_tree(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise Corrupt("A media file is not in its store.") from error
    except (BaseError, OSError) as error:  # TimeoutError is an OSError
        _LOG.warning("media store failed", error=type(error).__name__)
        raise Unavailable("The media store does not answer. Please try again.") from error
