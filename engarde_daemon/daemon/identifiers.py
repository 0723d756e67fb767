"""Ids that grow with time, so that new rows lie together in every index (RFC 9562, version 7)."""

import os
import time
import uuid

_RANDOM_BITS = (1 << 74) - 1


def new_id() -> str:
    """A fresh UUIDv7."""
    milliseconds = time.time_ns() // 1_000_000
    chance = int.from_bytes(os.urandom(10)) & _RANDOM_BITS
    high, low = chance >> 62, chance & ((1 << 62) - 1)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))
