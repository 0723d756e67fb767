"""The process in which one file is opened: run as `python -m`, for that file alone.

Owns the limits under which hostile bytes are read: address space, processor time, no file written,
no secret in the environment (its starter sees to that), and for FFmpeg no protocol but files, so
that a playlist fetches nothing. Whatever goes wrong here ends this process and nothing else.

It answers on its standard output with a line of JSON, and the thumbnail after it.
"""

import io
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PIL import Image, ImageOps

from engarde_daemon.adapters.media.orders import Order, Verdict
from engarde_daemon.domain.media import (
    HEAD_BYTES,
    KINDS,
    TAIL_BYTES,
    FileType,
    MediaProperties,
    second_nature,
)

if TYPE_CHECKING:
    from av.container import InputContainer

THUMBNAIL_PIXELS = (320, 320)
THUMBNAIL_SECOND = 1.0

_PILLOW_NAMES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
}
_DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "audio/mp4": "mov",
    "video/webm": "matroska",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/ogg": "ogg",
}
# Both are needed: FFmpeg 8 would fetch what a playlist names.
_FFMPEG = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mp3,wav,ogg",
    "protocol_whitelist": "file",
}
_ORIENTATION = 0x0112  # EXIF; from 5 on, width and height change places
_LYING = range(5, 9)


class Unfit(Exception):
    """The file cannot be kept; the text says why."""


def main() -> None:
    """Do the one order that comes as argument."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    _limit(order)
    thumbnail = b""
    try:
        properties, thumbnail = look(order)
        verdict = Verdict(properties=properties, thumbnail_bytes=len(thumbnail))
    except Unfit as unfit:
        verdict = Verdict(failure=str(unfit))
    sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n" + thumbnail)


def look(order: Order) -> tuple[MediaProperties, bytes]:
    """The properties of a file, and a thumbnail where there is something to see.

    Raises:
        Unfit: It cannot be kept.
    """
    other = second_nature(order.mime_type, *_ends(order.path))
    if other is not None:
        raise Unfit(f"The file is {other} at the same time.")
    match KINDS[order.mime_type]:
        case FileType.IMAGE:
            return _look_at_image(order)
        case FileType.VIDEO | FileType.AUDIO:
            return _look_at_stream(order)
        case FileType.DOCUMENT:
            return MediaProperties(format="pdf"), b""


def _ends(path: str) -> tuple[bytes, bytes]:
    with Path(path).open("rb") as file:
        head = file.read(HEAD_BYTES)
        file.seek(max(0, file.seek(0, io.SEEK_END) - TAIL_BYTES))
        return head, file.read()


def _look_at_image(order: Order) -> tuple[MediaProperties, bytes]:
    Image.MAX_IMAGE_PIXELS = order.pixels_max
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image = Image.open(order.path, formats=[_PILLOW_NAMES[order.mime_type]])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many(order) from error
    width, height = image.size
    _check_pixels(order, width, height)
    if image.getexif().get(_ORIENTATION) in _LYING:
        width, height = height, width
    properties = MediaProperties(width=width, height=height, format=str(image.format).lower())
    image.draft("RGB", THUMBNAIL_PIXELS)  # lets JPEG decode at a fraction of its size
    return properties, _thumbnail(ImageOps.exif_transpose(image))


def _look_at_stream(order: Order) -> tuple[MediaProperties, bytes]:
    try:
        import av  # noqa: PLC0415 - the extra `video`, which need not be there
    except ModuleNotFoundError:
        return MediaProperties(format=_subtype(order)), b""
    with av.open(order.path, format=_DEMUXERS[order.mime_type], options=_FFMPEG) as container:
        seconds = None if container.duration is None else container.duration / av.time_base
        common = MediaProperties(
            duration=None if seconds is None else max(1, round(seconds)),
            format=_subtype(order),
            bitrate=container.bit_rate or None,
        )
        if KINDS[order.mime_type] is FileType.AUDIO:
            return _with_sound(container, common), b""
        moment = int(min(THUMBNAIL_SECOND, (seconds or 0) / 2) * av.time_base)
        return _with_picture(order, container, common, moment=moment)


def _with_sound(container: "InputContainer", common: MediaProperties) -> MediaProperties:
    if not container.streams.audio:
        raise Unfit("The file holds no sound.")
    codec = container.streams.audio[0].codec_context.name
    return msgspec.structs.replace(common, codec=codec)


def _with_picture(
    order: Order, container: "InputContainer", common: MediaProperties, *, moment: int
) -> tuple[MediaProperties, bytes]:
    if not container.streams.video:
        raise Unfit("The file holds no picture.")
    context = container.streams.video[0].codec_context
    _check_pixels(order, context.width, context.height)
    properties = msgspec.structs.replace(
        common, width=context.width, height=context.height, codec=context.name
    )
    context.thread_count = 1
    container.seek(moment)
    picture: Image.Image = next(container.decode(video=0)).to_image()  # type: ignore[no-untyped-call]
    return properties, _thumbnail(picture)


def _subtype(order: Order) -> str:
    return order.mime_type.rpartition("/")[2]


def _check_pixels(order: Order, width: int, height: int) -> None:
    if width * height > order.pixels_max:
        raise _too_many(order)


def _too_many(order: Order) -> Unfit:
    return Unfit(f"The picture has more than {order.pixels_max} pixels.")


def _thumbnail(image: Image.Image) -> bytes:
    image.thumbnail(THUMBNAIL_PIXELS)
    written = io.BytesIO()
    image.convert("RGBA" if image.has_transparency_data else "RGB").save(written, "WEBP")
    return written.getvalue()


def _limit(order: Order) -> None:
    if sys.platform == "linux":  # elsewhere the starter's deadline is what there is
        import resource  # noqa: PLC0415 - not on every platform

        resource.setrlimit(resource.RLIMIT_AS, (order.memory_bytes, order.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (order.processor_s, order.processor_s))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
