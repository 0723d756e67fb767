"""A form with one file in it, read as it comes (RFC 7578).

Owns two bounds: whatever is not the file is short, and the file is never held here.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from litestar.exceptions import HTTPException
from multipart import (
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from engarde_daemon.api.media.schemas import FormId, UploadForm
from engarde_daemon.domain.errors import FieldError, Invalid, Malformed

MEDIA_TYPE = "multipart/form-data"
FILE = "file"
FIELDS = frozenset(UploadForm.__struct_fields__) - {FILE}
FIELD_BYTES_MAX = 1024
PARTS_MAX = 8


class Form:
    """The form of an upload: `fields` before the file, and then the file."""

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        """Prepare to read.

        Raises:
            HTTPException: It is no form.
        """
        kind, options = parse_options_header(content_type)
        if kind != MEDIA_TYPE or not options.get("boundary"):
            raise HTTPException(status_code=415, detail=f"Send the file as {MEDIA_TYPE}.")
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.claimed_type: str | None = None
        self._events = self._parsed(options["boundary"], chunks)

    async def open(self) -> AsyncIterator[bytes]:
        """Read up to the file, and give its bytes; the form is read to its end with them.

        Raises:
            Invalid: There is no file, or a field that is not known.
            Malformed: It is not the form that it says it is.
        """
        async for event in self._events:
            if not isinstance(event, MultipartSegment):
                continue
            if event.name == FILE:
                self.file_name = event.filename
                self.claimed_type = event.content_type if event.filename is not None else None
                return self._file()
            await self._read_field(event)
        raise Invalid([FieldError(FILE, "is required")])

    async def _file(self) -> AsyncIterator[bytes]:
        async for event in self._events:
            if event is None:
                break
            yield bytes(event)
        async for event in self._events:
            if isinstance(event, MultipartSegment):
                raise Invalid([FieldError(event.name[:100], "must come before the file")])

    async def _read_field(self, part: MultipartSegment) -> None:
        if part.name not in FIELDS:
            raise Invalid([FieldError(part.name[:100], "unknown field")])
        value = b""
        async for event in self._events:
            if event is None:
                break
            value += event
            if len(value) > FIELD_BYTES_MAX:
                raise Invalid([FieldError(part.name, f"is longer than {FIELD_BYTES_MAX} bytes")])
        try:
            self.fields[part.name] = msgspec.convert(value.decode(errors="replace"), FormId)
        except msgspec.ValidationError as error:
            raise Invalid([FieldError(part.name, str(error))]) from error

    async def _parsed(self, boundary: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[Any]:
        parser = _parser(boundary)
        async for chunk in chunks:
            if chunk:
                for event in _events(parser, chunk):
                    yield event
        for event in _events(parser, b""):
            yield event


def _parser(boundary: str) -> PushMultipartParser:
    try:
        # Not strict: a closing line break in a chunk of its own would be refused (multipart 2.0.1).
        return PushMultipartParser(boundary, max_segment_count=PARTS_MAX)
    except MultipartError as error:
        raise _malformed(error) from error


def _events(parser: PushMultipartParser, chunk: bytes) -> Iterator[Any]:
    try:
        yield from parser.parse(chunk)
    except MultipartError as error:
        raise _malformed(error) from error


def _malformed(error: MultipartError) -> Malformed:
    return Malformed(f"The form cannot be read: {str(error)[:100]}.")
