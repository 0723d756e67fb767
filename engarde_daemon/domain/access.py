"""Who calls, and how far a role reaches.

Owns the form of an API key, `eg_<id>_<secret>`: the id finds the key, the secret proves it. Only
the SHA-256 of the secret is ever stored, which is enough for 256 random bits.
"""

import base64
import hashlib
import hmac
import re
import string
from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

import msgspec

Randomness: TypeAlias = Callable[[int], bytes]
"""As many unpredictable bytes as asked for, like `secrets.token_bytes`."""

_ID_CHARACTERS = 12
_SECRET_BYTES = 32
_SECRET_CHARACTERS = 43  # 62**43 > 2**256
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY = re.compile(rf"eg_([a-z2-7]{{{_ID_CHARACTERS}}})_([0-9A-Za-z]{{{_SECRET_CHARACTERS}}})")


class Role(StrEnum):
    """What a caller may do, from the least to the most; each may do all that stands above it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    OPERATOR = "operator"

    def reaches(self, required: "Role") -> bool:
        """Whether this role may do what the required one may."""
        order = list(Role)
        return order.index(self) >= order.index(required)


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """The caller of a request, once its key was proved."""

    key_id: str
    tenant_id: str
    brand_id: str
    user_id: str
    role: Role


class ApiKey(msgspec.Struct, frozen=True):
    """A key with its secret, as only its owner holds it."""

    id: str
    secret: str

    @property
    def text(self) -> str:
        """The key as it is sent with a request."""
        return f"eg_{self.id}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is stored in place of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()

    def proves(self, digest: bytes) -> bool:
        """Whether the secret is the one behind this digest, in time that tells nothing about it."""
        return hmac.compare_digest(self.digest, digest)

    def __repr__(self) -> str:
        """Keep the secret out of logs and tracebacks."""
        return f"ApiKey({self.id!r})"


def draw_key(randomness: Randomness) -> ApiKey:
    """Make a key nobody can guess."""
    key_id = base64.b32encode(randomness(_ID_CHARACTERS)).decode().lower()[:_ID_CHARACTERS]
    return ApiKey(key_id, _base62(int.from_bytes(randomness(_SECRET_BYTES))))


def read_key(text: str) -> ApiKey | None:
    """Take apart what a caller sent; None when it cannot be a key."""
    match = _KEY.fullmatch(text)
    return ApiKey(match[1], match[2]) if match else None


def _base62(number: int) -> str:
    characters = []
    for _ in range(_SECRET_CHARACTERS):
        number, digit = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[digit])
    return "".join(characters)
