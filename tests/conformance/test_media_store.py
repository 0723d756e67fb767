"""What every media store must do, whoever keeps the bytes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from engarde_daemon.domain.errors import Corrupt
from engarde_daemon.ports.media import MediaStore, Span
from tests.conformance.media_stores import STORES, chunks_of
from tests.support.pictures import noise
from tests.support.s3_server import CREDENTIALS, s3_server

__all__ = ["s3_server"]

LARGE = noise(17 * 1024 * 1024)


@pytest.fixture(params=STORES)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MediaStore]:
    """An empty store."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = request.getfixturevalue("s3_server") if request.param == "s3" else ""
    with STORES[request.param](tmp_path, server) as store:
        yield store


async def whole(store: MediaStore, path: str, span: Span | None = None) -> bytes:
    """The bytes of a path, or a span of them."""
    return b"".join([piece async for piece in store.get(path, span)])


@pytest.mark.parametrize("size", [1, 1_000_000, len(LARGE)])
async def test_what_was_put_comes_back(store: MediaStore, size: int):
    """In one part or in many."""
    await store.put("a/b", chunks_of(LARGE[:size]))

    assert await whole(store, "a/b") == LARGE[:size]


@pytest.mark.parametrize(
    "span", [Span(0, 1), Span(999, 5_000_000), Span(len(LARGE) - 1, len(LARGE))]
)
async def test_a_span_of_it_comes_back(store: MediaStore, span: Span):
    """From its first byte up to the one before its end."""
    await store.put("a/b", chunks_of(LARGE))

    assert await whole(store, "a/b", span) == LARGE[span.start : span.end]


async def test_bytes_that_are_missing_are_no_answer(store: MediaStore):
    """A file that is shorter than its books say is broken, not short."""
    await store.put("a/b", chunks_of(b"short"))

    with pytest.raises(Corrupt):
        await whole(store, "a/b", Span(0, 6))


async def test_a_path_that_is_not_there_is_told(store: MediaStore):
    """Whoever asks for it was told of it by the books."""
    with pytest.raises(Corrupt):
        await whole(store, "a/b")


async def test_an_upload_that_is_cut_off_leaves_nothing_to_read(store: MediaStore):
    """Neither a part of the file nor an empty one."""

    class Cut(Exception):
        """The caller hung up."""

    async def cut() -> AsyncIterator[bytes]:
        yield LARGE[:9_000_000]
        raise Cut

    with pytest.raises(Cut):
        await store.put("a/b", cut())
    assert [path async for path in store.list("a")] == []
    with pytest.raises(Corrupt):
        await whole(store, "a/b")


async def test_what_is_deleted_is_gone(store: MediaStore):
    """And only that; deleting what is not there is no error."""
    for path in ("a/one", "a/two"):
        await store.put(path, chunks_of(path.encode()))

    await store.delete(["a/one", "a/never"])

    assert [path async for path in store.list("a")] == ["a/two"]
    assert await whole(store, "a/two") == b"a/two"


async def test_a_folder_that_is_cleared_leaves_its_neighbours(store: MediaStore):
    """Those whose names begin alike, too; one that is not there counts as clear."""
    for path in ("t/u.parts/1", "t/u.parts/2", "t/u", "t/u.parts2/1"):
        await store.put(path, chunks_of(b"x"))

    for _ in range(2):
        await store.clear("t/u.parts")

    assert {path async for path in store.list("t")} == {"t/u", "t/u.parts2/1"}
