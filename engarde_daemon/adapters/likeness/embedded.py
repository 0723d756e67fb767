"""Vectors of contents in an SQLite file beside the embedded ZeroDB's, searched by sqlite-vec.

Owns the promise that a search sees one tenant and one brand: the tenant is the partition of the
vectors, the brand a condition on them. The file can be lost: it is made anew from the body store.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import msgspec
from anyio import to_thread

from engarde_daemon.adapters.likeness.model import MODEL, WordModel
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import ContentRecord
from engarde_daemon.ports.likeness import Alike
from sql import statements

FILE_NAME = "likeness.sqlite3"

_SQL = statements("zerodb/likeness")
_T = TypeVar("_T")


class EmbeddedLikeness:
    """The `LikenessIndex` port in a file of its own."""

    def __init__(self, folder: Path, *, timeout_s: float) -> None:
        self._file = folder / FILE_NAME
        self._timeout_s = timeout_s
        self._model = WordModel()
        self._connection: Any = None
        # One thread at a time: the model, the connection and its transactions are shared.
        self._turn = anyio.CapacityLimiter(1)

    async def add(self, records: Sequence[ContentRecord]) -> None:
        """See `LikenessIndex.add`."""
        newest = {record.content_id: record for record in sorted(records, key=lambda r: r.version)}
        await self._run(partial(self._add, list(newest.values())))

    async def remove(self, tenant_id: str, row_ids: Sequence[str]) -> None:
        """See `LikenessIndex.remove`."""
        await self._run(partial(_remove, tenant_id, row_ids))

    async def nearest(self, tenant_id: str, brand_id: str, text: str, *, most: int) -> list[Alike]:
        """See `LikenessIndex.nearest`."""

        def search(file: Any) -> list[Alike]:
            (vector,) = self._model.embed([text])
            rows = file.execute(_SQL["nearest"], (vector, tenant_id, brand_id, most))
            return [Alike(content_id, 1.0 - distance) for content_id, distance in rows]

        return await self._run(search)

    async def is_complete(self) -> bool:
        """See `LikenessIndex.is_complete`."""
        return bool(await self._run(lambda f: f.execute(_SQL["is_complete"], (MODEL,)).fetchone()))

    async def note_complete(self) -> None:
        """See `LikenessIndex.note_complete`."""
        await self._run(lambda file: file.execute(_SQL["note_complete"], (MODEL,)).fetchall())

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _add(self, records: Sequence[ContentRecord], file: Any) -> None:
        ids = _json([record.content_id for record in records])
        known = dict(file.execute(_SQL["known"], (ids,)))
        fresh = [r for r in records if known.get(r.content_id, 0) < r.version]
        if not fresh:
            return
        vectors = self._model.embed([f"{r.title}\n{r.content_body}" for r in fresh])
        with file:
            for record, vector in zip(fresh, vectors, strict=True):
                _forget(file, record.content_id)
                file.execute(_SQL["add"], _row_of(record, vector)).fetchall()

    async def _run(self, work: Callable[[Any], _T]) -> _T:
        def in_file() -> _T:
            with self._translated():
                return work(self._open())

        return await to_thread.run_sync(in_file, limiter=self._turn)

    def _open(self) -> Any:
        if self._connection is None:
            self._connection = _connect(self._file, self._timeout_s)
        return self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import apsw  # noqa: PLC0415 - an extra

        try:
            yield
        except apsw.Error as error:
            raise Unavailable(
                f"The index {self._file} does not answer ({type(error).__name__}): if its disk is "
                "sound, stop the daemon and remove the file; it is made anew at the next start."
            ) from error


def _connect(file: Path, timeout_s: float) -> Any:
    """Open the file with sqlite-vec; the SQLite of most Pythons cannot load extensions, APSW's can."""
    import apsw  # noqa: PLC0415 - an extra
    import sqlite_vec  # noqa: PLC0415 - an extra

    connection = apsw.Connection(str(file))
    connection.set_busy_timeout(round(timeout_s * 1000))
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)
    connection.execute(_SQL["configure"]).fetchall()
    connection.execute(_SQL["create"]).fetchall()
    return connection


def _remove(tenant_id: str, row_ids: Sequence[str], file: Any) -> None:
    with file:
        rows = file.execute(_SQL["of_rows"], (tenant_id, _json(row_ids))).fetchall()
        for (content_id,) in rows:
            _forget(file, content_id)


def _forget(file: Any, content_id: str) -> None:
    file.execute(_SQL["forget"], {"content_id": content_id}).fetchall()


def _row_of(record: ContentRecord, vector: bytes) -> dict[str, Any]:
    return {
        "content_id": record.content_id,
        "tenant_id": record.tenant_id,
        "brand_id": record.brand_id,
        "row_id": record.id,
        "version": record.version,
        "vector": vector,
    }


def _json(texts: Sequence[str]) -> str:
    return msgspec.json.encode(texts).decode()
