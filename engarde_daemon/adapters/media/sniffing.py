"""What bytes look like, told by puremagic and, where it hesitates, by the bytes themselves."""

import puremagic

# puremagic 1.30 calls these after their container alone; what they are stands in their brand or in
# the first frame. ISO/IEC 14496-12 section 4.3 (`ftyp`), ISO/IEC 13818-3 section 2.4.2.3 (MPEG audio).
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}


def sniff(head: bytes) -> str | None:
    """See `Sniffer`."""
    return _by_brand(head) or _by_frame(head) or _by_magic(head)


def _by_brand(head: bytes) -> str | None:
    if head[4:8] != b"ftyp":
        return None
    return _BRANDS.get(head[8:12], "video/mp4")


def _by_frame(head: bytes) -> str | None:
    """MPEG audio starts with a tag, or at once with a frame of layer III."""
    if head[:3] == b"ID3":
        return "audio/mpeg"
    return "audio/mpeg" if head[:2] in {b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"} else None


def _by_magic(head: bytes) -> str | None:
    try:
        return str(puremagic.from_string(head, mime=True)) or None
    except (puremagic.PureError, ValueError):
        return None
