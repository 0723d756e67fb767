"""Ids that grow with time, so that new rows lie together in every index (RFC 9562, version 7)."""

import os
import time

_RANDOM_BITS = (1 << 74) - 1


def new_id() -> str:
    """A fresh UUIDv7."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(os.urandom(10)) & _RANDOM_BITS
    high, low = chance >> 62, chance & ((1 << 62) - 1)
    text = f"{milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
