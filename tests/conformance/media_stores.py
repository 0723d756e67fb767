"""The media stores under the conformance suite."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engarde_daemon.adapters.media.opening import open_media_store
from engarde_daemon.ports.media import MediaStore
from tests.support import gcs_server, s3_server

Open = Callable[[Path, str], Iterator[MediaStore]]

TIMEOUT_S = 20.0


@contextmanager
def embedded(folder: Path, _: str) -> Iterator[MediaStore]:
    """The store beside the embedded ZeroDB."""
    yield open_media_store("embedded", endpoint="", embedded_folder=folder, timeout_s=TIMEOUT_S)


@contextmanager
def file(folder: Path, _: str) -> Iterator[MediaStore]:
    """A folder under its URL."""
    url = f"file://{folder}"
    yield open_media_store(url, endpoint="", embedded_folder=Path("/"), timeout_s=TIMEOUT_S)


@contextmanager
def s3(folder: Path, server: str) -> Iterator[MediaStore]:
    """A folder of a bucket of S3."""
    url = f"s3://{s3_server.BUCKET}/{folder.name}"
    yield open_media_store(url, endpoint=server, embedded_folder=folder, timeout_s=TIMEOUT_S)


@contextmanager
def gcs(folder: Path, _: str) -> Iterator[MediaStore]:
    """A folder of a bucket of Cloud Storage."""
    with gcs_server.gcs_serving() as server:
        url = f"gs://{gcs_server.BUCKET}/{folder.name}"
        yield open_media_store(
            url, endpoint=server.url, embedded_folder=folder, timeout_s=TIMEOUT_S
        )


STORES = {"embedded": embedded, "file": file, "s3": s3, "gcs": gcs}


async def chunks_of(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """The bytes as a caller sends them."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
