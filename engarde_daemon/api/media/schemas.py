"""What media files look like on the wire."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from engarde_daemon.domain.media import MediaFile, MediaProperties, file_url

# Empty where a page leaves a field of its form blank. `(?!\n)` as in `content.schemas.Id`.
FormId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,36}(?!\n)$")]
FileBytes = Annotated[
    str,
    Meta(extra_json_schema={"format": "binary", "contentMediaType": "application/octet-stream"}),
]
"""How the document tells of bytes that are no text."""


class UploadForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form of an upload; its fields come before the file."""

    brand_id: FormId = ""
    content_id: FormId = ""
    file: FileBytes


class MediaObject(msgspec.Struct, frozen=True, kw_only=True):
    """A file as the content it belongs to shows it."""

    id: str
    type: str
    url: str
    thumbnail_url: str | None
    size_bytes: int
    metadata: MediaProperties


class MediaView(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it stands: what content shows of it, and the rest of its row."""

    id: str
    type: str
    url: str
    thumbnail_url: str | None
    size_bytes: int
    metadata: MediaProperties
    brand_id: str
    content_id: str | None
    file_name: str
    mime_type: str
    sha256: str
    storage_provider: str
    processing_status: str
    failure: str | None
    created_at: datetime
    updated_at: datetime


def object_of(file: MediaFile) -> MediaObject:
    """A file for the content that shows it."""
    properties = file.media_metadata
    return MediaObject(
        id=file.id,
        type=file.file_type,
        url=file.cdn_url or file.public_url or file_url(file.id),
        thumbnail_url=properties.thumbnail_url,
        size_bytes=file.file_size_bytes,
        metadata=msgspec.structs.replace(properties, thumbnail_url=None),
    )


def view_of(file: MediaFile) -> MediaView:
    """A file for whoever asks for it."""
    return MediaView(
        **msgspec.structs.asdict(object_of(file)),
        brand_id=file.brand_id,
        content_id=file.content_id,
        file_name=file.file_name,
        mime_type=file.mime_type,
        sha256=file.sha256,
        storage_provider=file.storage_provider,
        processing_status=file.processing_status,
        failure=file.failure,
        created_at=file.created_at,
        updated_at=file.updated_at,
    )
