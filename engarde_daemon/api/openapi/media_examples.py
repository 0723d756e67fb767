"""Examples of the routes of media files; see `examples`."""

from datetime import UTC, datetime
from typing import Any

from engarde_daemon.api.media.resuming import UploadView
from engarde_daemon.api.media.schemas import FileBytes, MediaView, UploadForm
from engarde_daemon.api.paging import Onward, Page
from engarde_daemon.domain.media import MediaProperties, file_url, thumbnail_url

_FILE = "01a20547-9a10-7d03-9c4e-5b1f0c6a2d11"
_BRAND = "3b420be8-b939-4cc9-900b-08afc95319f8"
_BYTES = "the bytes of the file"
_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_VIEW = MediaView(
    id=_FILE,
    type="image",
    url=file_url(_FILE),
    thumbnail_url=thumbnail_url(_FILE),
    size_bytes=183_204,
    metadata=MediaProperties(width=1080, height=720, format="jpeg"),
    brand_id=_BRAND,
    content_id=None,
    file_name="spring.jpg",
    mime_type="image/jpeg",
    sha256="b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
    storage_provider="s3",
    processing_status="ready",
    failure=None,
    created_at=_AT,
    updated_at=_AT,
)

ANSWERS: dict[Any, Any] = {
    FileBytes: _BYTES,
    MediaView: _VIEW,
    UploadView: UploadView(
        id=_FILE,
        brand_id=_BRAND,
        content_id=None,
        file_name="spring.mp4",
        length_bytes=183_204_000,
        offset_bytes=8_388_608,
        outcome=None,
        failure=None,
        expires_at=_AT,
    ),
    Page[MediaView]: Page(
        data=[_VIEW], pagination=Onward(page_size=20, has_next=False, next_cursor=None)
    ),
}
REQUESTS: dict[Any, Any] = {
    UploadForm: {"brand_id": _BRAND, "file": _BYTES},
    FileBytes: _BYTES,
}
PATHS = {"media_id": _FILE, "upload_id": _FILE}
