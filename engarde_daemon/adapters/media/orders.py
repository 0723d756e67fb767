"""What the daemon and the process that opens a file say to each other.

Apart from both, so that the daemon never loads the libraries that open files.
"""

import msgspec

from engarde_daemon.domain.media import MediaProperties


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at, and how much may be spent on it."""

    path: str
    mime_type: str
    pixels_max: int
    memory_bytes: int
    processor_s: int


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; a thumbnail of so many bytes follows."""

    properties: MediaProperties = MediaProperties()
    failure: str | None = None
    thumbnail_bytes: int = 0
