"""Pictures, videos, sounds and documents that belong to content.

Owns what may be kept at all: a file is what its first bytes say it is, that must be one of
`KINDS`, and whoever sent it must not have called it something else. A file that is two things at
once, such as a picture with an archive behind it, is none that we keep.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote

import msgspec

from engarde_daemon.domain.errors import Conflict, Rejected

HEAD_BYTES = 8192
"""How much of a file's beginning tells what it is."""
TAIL_BYTES = 65_557
"""Where the directory of an archive behind a file would end: its record and longest comment."""
FILE_NAME_CHARACTERS = 255

UNKNOWN_TYPE = "application/octet-stream"

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MARKUP = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|svg|iframe|\?php)\b", re.IGNORECASE
)
_ARCHIVE_END = b"PK\x05\x06"
_ARCHIVE_END_BYTES = 22
_PDF_WITHIN = 1024  # readers look for the mark of a PDF this far (ISO 32000-1, annex H)


class FileType(StrEnum):
    """What a file is to a marketer."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


class ProcessingStatus(StrEnum):
    """Where a file stands between its upload and its use."""

    PENDING = "pending"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class StorageProvider(StrEnum):
    """Who keeps the bytes. `zerodb_binary` is the store beside the embedded ZeroDB."""

    GCS = "gcs"
    S3 = "s3"
    ZERODB_BINARY = "zerodb_binary"
    FILE = "file"


KINDS: Mapping[str, FileType] = MappingProxyType(
    {
        "image/jpeg": FileType.IMAGE,
        "image/png": FileType.IMAGE,
        "image/gif": FileType.IMAGE,
        "image/webp": FileType.IMAGE,
        "image/avif": FileType.IMAGE,
        "video/mp4": FileType.VIDEO,
        "video/quicktime": FileType.VIDEO,
        "video/webm": FileType.VIDEO,
        "audio/mpeg": FileType.AUDIO,
        "audio/mp4": FileType.AUDIO,
        "audio/wav": FileType.AUDIO,
        "audio/ogg": FileType.AUDIO,
        "application/pdf": FileType.DOCUMENT,
    }
)
"""Everything that is kept."""

_OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "image/jpg": "image/jpeg",
        "image/pjpeg": "image/jpeg",
        "image/x-png": "image/png",
        "video/x-m4v": "video/mp4",
        "audio/mp3": "audio/mpeg",
        "audio/x-mp3": "audio/mpeg",
        "audio/x-m4a": "audio/mp4",
        "audio/m4a": "audio/mp4",
        "audio/x-wav": "audio/wav",
        "audio/wave": "audio/wav",
        "audio/vnd.wave": "audio/wav",
        "application/ogg": "audio/ogg",
        "application/x-pdf": "application/pdf",
    }
)


class TypeRefused(Rejected):
    """The file is of a type that is not kept, or not what it was said to be."""

    type_ = "media_type_refused"
    title = "This type of file is not accepted"
    status = 415


class FileTooLarge(Rejected):
    """The file is larger than any may be."""

    type_ = "file_too_large"
    title = "The file is too large"
    status = 413
    limit_bytes: int

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"A file may hold {limit_bytes} bytes ([media] file_bytes_max in engarde.toml)."
        )
        self.limit_bytes = limit_bytes


class UploadLost(Conflict):
    """The upload took too long, and what it had stored was given up."""

    type_ = "upload_lost"
    title = "The upload took too long"


class FileGone(Conflict):
    """The examination of a file found that it cannot be kept; the detail says why."""

    type_ = "file_gone"
    title = "The file was not kept"


class MediaProperties(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the examination of a file found; sizes in pixels, `bitrate` in bits a second."""

    width: int | None = None
    height: int | None = None
    duration: int | None = None
    format: str | None = None
    codec: str | None = None
    bitrate: int | None = None
    thumbnail_url: str | None = None


class MediaFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it stands; `failure` says why it failed."""

    id: str
    tenant_id: str
    brand_id: str
    user_id: str
    content_id: str | None
    file_name: str
    file_type: str
    mime_type: str
    file_size_bytes: int
    sha256: str
    storage_provider: str
    storage_path: str
    public_url: str | None
    cdn_url: str | None
    media_metadata: MediaProperties
    processing_status: str
    failure: str | None
    bigquery_synced: bool
    created_at: datetime
    updated_at: datetime

    @property
    def is_kept(self) -> bool:
        """Whether there are bytes to be had."""
        return self.processing_status != ProcessingStatus.FAILED


def thumbnail_path(storage_path: str) -> str:
    """Where the thumbnail of a file lies."""
    return f"{storage_path}.thumbnail"


def file_url(media_id: str) -> str:
    """Where the API gives a file."""
    return f"/api/media/{media_id}/file"


def thumbnail_url(media_id: str) -> str:
    """Where the API gives the thumbnail of a file."""
    return f"/api/media/{media_id}/thumbnail"


def plain_type(claim: str | None) -> str:
    """A media type as it came, without parameters and under the name used here."""
    name = (claim or UNKNOWN_TYPE).partition(";")[0].strip().lower()
    return _OTHER_NAMES.get(name, name)


def type_of(sniffed: str | None, claim: str | None) -> str:
    """The type of a file, from what its bytes say and what its sender said.

    Raises:
        TypeRefused: It is of no type that is kept, or was called another.
    """
    found = plain_type(sniffed) if sniffed else None
    if found is None or found not in KINDS:
        raise TypeRefused(f"The file looks like {found or 'nothing we know'}. {_accepted()}")
    claimed = plain_type(claim)
    if claimed not in {found, UNKNOWN_TYPE}:
        raise TypeRefused(f"The file was called {claimed[:100]}, but its bytes say {found}.")
    return found


def second_nature(mime_type: str, head: bytes, tail: bytes) -> str | None:
    """What else a file is besides its type, told from both of its ends, or None."""
    if KINDS[mime_type] is not FileType.DOCUMENT and b"%PDF-" in head[:_PDF_WITHIN]:
        return "a PDF document"
    if _MARKUP.search(head[:_PDF_WITHIN]):
        return "a web page or script"
    return "an archive" if _ends_an_archive(tail) else None


def file_name_of(text: str | None) -> str:
    """A file's name as it may be shown and sent back: no folders, no control characters."""
    name = unicodedata.normalize("NFC", text or "").replace("\\", "/").rpartition("/")[2]
    shown = "".join(character for character in name if _is_shown(character)).strip(" .")
    return shown[:FILE_NAME_CHARACTERS] or "file"


def disposition_of(file_type: str, file_name: str) -> str:
    """How a browser treats a file, with its name as RFC 6266 and RFC 8187 write it."""
    kind = "attachment" if file_type == FileType.DOCUMENT else "inline"
    return f"{kind}; filename*=UTF-8''{quote(file_name, safe='')}"


def storage_path_of(tenant_id: str, upload_id: str) -> str:
    """Where an upload's bytes lie: under its tenant, by a name that nobody chose.

    Each attempt has a path of its own, so that one that was given up can be removed at any time.
    """
    plain = _PLAIN.fullmatch(tenant_id)
    owner = tenant_id if plain else hashlib.sha256(tenant_id.encode()).hexdigest()
    return f"media/{owner}/{upload_id}"


def _is_shown(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _ends_an_archive(tail: bytes) -> bool:
    """Whether the bytes end like a ZIP archive, whose last record says how long its comment is.

    The comment may hold the mark of such a record itself, so each of them is looked at.
    """
    place = tail.find(_ARCHIVE_END)
    while place >= 0:
        end = place + _ARCHIVE_END_BYTES
        if end + int.from_bytes(tail[end - 2 : end], "little") <= len(tail):
            return True
        place = tail.find(_ARCHIVE_END, place + 1)
    return False


def _accepted() -> str:
    return f"Accepted are {', '.join(sorted(KINDS))}."
