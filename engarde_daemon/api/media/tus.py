"""The headers of tus 1.0, read and written (https://tus.io/protocols/resumable-upload)."""

import base64
import binascii
import re
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from engarde_daemon.domain.errors import FieldError, Invalid, Rejected
from engarde_daemon.domain.resuming import Checksum
from engarde_daemon.ports.resuming import ResumableUpload

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
BYTES_TYPE = "application/offset+octet-stream"
METADATA_CHARACTERS_MAX = 4096

_SPOKEN = [(b"tus-resumable", VERSION.encode()), (b"tus-version", VERSION.encode())]
_OFFER = [
    *_SPOKEN,
    (b"tus-extension", EXTENSIONS.encode()),
    (b"tus-checksum-algorithm", ",".join(Checksum.ALGORITHMS).encode()),
]
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


class VersionNotSpoken(Rejected):
    """The request does not say that it speaks tus 1.0.0."""

    type_ = "tus_version"
    title = "Another version of tus is needed"
    status = 412

    def __init__(self) -> None:
        super().__init__(f"Send 'Tus-Resumable: {VERSION}'.")


def speaks_tus(app: ASGIApp) -> ASGIApp:
    """Have every answer of a route say its version, refusals too, and `OPTIONS` all that is spoken."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        told = _OFFER if scope.get("method") == "OPTIONS" else _SPOKEN

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *told]
            await send(message)

        await app(scope, receive, tell)

    return serve


def require_version(headers: Mapping[str, str]) -> None:
    """Let pass a request that speaks tus 1.0.0.

    Raises:
        VersionNotSpoken: It does not.
    """
    if headers.get("tus-resumable") != VERSION:
        raise VersionNotSpoken


def number_in(headers: Mapping[str, str], name: str) -> int:
    """The number of bytes that a header says.

    Raises:
        Invalid: It says none.
    """
    text = headers.get(name.lower(), "").strip()
    if not _NUMBER.fullmatch(text):
        raise Invalid([FieldError(name, "must be a number of bytes")])
    return int(text)


def metadata_in(headers: Mapping[str, str]) -> dict[str, str]:
    """What `Upload-Metadata` says; what the daemon has no use for is left in.

    Raises:
        Invalid: It is too long, or its values are not what the protocol says.
    """
    text = headers.get("upload-metadata", "")
    if len(text) > METADATA_CHARACTERS_MAX:
        raise Invalid(
            [FieldError("Upload-Metadata", f"is longer than {METADATA_CHARACTERS_MAX} characters")]
        )
    pairs = (pair.strip().partition(" ") for pair in text.split(","))
    return {key: _text(value.strip()) for key, _, value in pairs if key}


def checksum_in(headers: Mapping[str, str]) -> Checksum | None:
    """The checksum that a request's bytes must have, if it names one.

    Raises:
        Invalid: It is none that is known.
    """
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, value = text.strip().partition(" ")
    if algorithm not in Checksum.ALGORITHMS:
        known = ", ".join(Checksum.ALGORITHMS)
        raise Invalid([FieldError("Upload-Checksum", f"must begin with one of {known}")])
    return Checksum(algorithm, _bytes("Upload-Checksum", value.strip()))


def progress(upload: ResumableUpload) -> dict[str, Any]:
    """How far an upload is, and how long it waits for more."""
    told = {"Upload-Offset": str(upload.offset_bytes)}
    if upload.outcome is None and upload.expires_at is not None:
        told["Upload-Expires"] = format_datetime(upload.expires_at, usegmt=True)
    return told


def _text(value: str) -> str:
    return _bytes("Upload-Metadata", value).decode(errors="replace")


def _bytes(name: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise Invalid([FieldError(name, "must hold Base64")]) from None
