"""Files to send: good ones, made by the libraries themselves, and evil ones, made by hand."""

import hashlib
import io
import struct
import wave
import zipfile
import zlib

import av
from PIL import Image

_SUN = (240, 180, 20)


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), *, colour: int = 0) -> bytes:
    """A picture of one colour; another `colour` makes another file."""
    written = io.BytesIO()
    Image.new("RGB", size, (*_SUN[:2], colour)).save(written, kind)
    return written.getvalue()


def noise(size_bytes: int, seed: int = 0) -> bytes:
    """A PDF, to us, of that many bytes which no one can compress."""
    start = b"%PDF-1.7\n" + seed.to_bytes(8, "little")
    blocks = size_bytes // 32 + 1
    body = b"".join(
        hashlib.sha256(start + n.to_bytes(8, "little")).digest() for n in range(min(blocks, 4096))
    )
    return (start + body * (size_bytes // len(body) + 1))[:size_bytes]


def video(container: str = "mp4", codec: str = "mpeg4", *, frames: int = 20) -> bytes:
    """A video of 64 x 48 pixels, ten frames a second."""
    written = io.BytesIO()
    with av.open(written, "w", format=container) as output:
        stream = output.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(frames):
            output.mux(stream.encode(_frame()))
        output.mux(stream.encode())
    return written.getvalue()


def _frame() -> av.VideoFrame:
    """A frame of one colour: one that was not filled holds whatever its memory held before."""
    frame: av.VideoFrame = av.VideoFrame.from_image(Image.new("RGB", (64, 48), _SUN))
    return frame


def sound() -> bytes:
    """A second of silence."""
    written = io.BytesIO()
    with wave.open(written, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(8000)
        output.writeframes(bytes(16_000))
    return written.getvalue()


def boasting_png(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a picture of this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


def archive() -> bytes:
    """A ZIP archive with one file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as output:
        output.writestr("evil.class", b"\xca\xfe\xba\xbe")
    return written.getvalue()


def playlist(url: str) -> bytes:
    """A playlist that leads elsewhere."""
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}\n#EXT-X-ENDLIST\n".encode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
