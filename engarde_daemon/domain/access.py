"""Who calls, and how far a role reaches.

Owns the form of an API key, `eg_<id>_<secret>`: the id finds the key, the secret proves it. Only
the SHA-256 of the secret is ever stored, which is enough for 256 random bits.

Owns also the question of every brand check: which role a caller has in which brand.
"""

import base64
import hashlib
import hmac
import re
import string
from collections.abc import Callable, Collection, Mapping
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
        return _RANKS[self] >= _RANKS[required]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """The caller of a request, once its key or token was proved.

    `key_id` is the id of the key, or one computed for the user of a token. `brands` says which
    role the caller has in which brand, and `role` is the highest of them; where `brands` is None,
    the role holds in every brand of the tenant. `brand_id` is meant where a request names none.
    With `read_only` the role lets look, and do nothing.
    """

    key_id: str
    tenant_id: str
    brand_id: str
    user_id: str
    role: Role
    brands: Mapping[str, Role] | None = None
    read_only: bool = False

    def role_in(self, brand_id: str) -> Role | None:
        """The caller's role in a brand of its tenant; None where the brand is not the caller's."""
        return self.role if self.brands is None else self.brands.get(brand_id)

    def reaches(self, required: Role, brand_ids: Collection[str] | None) -> bool:
        """Whether the role holds in every one of these brands; None stands for the whole tenant."""
        if self.brands is None:
            return self.role.reaches(required)
        held = [self.role_in(brand_id) for brand_id in brand_ids or ()]
        return bool(held) and all(role is not None and role.reaches(required) for role in held)

    def governed(self) -> list[str] | None:
        """The brands in which the caller is an administrator; None stands for the whole tenant."""
        if self.brands is None:
            return None
        return [brand_id for brand_id, role in self.brands.items() if role.reaches(Role.ADMIN)]

    def may_grant(self, role: Role, brand_ids: Collection[str] | None) -> bool:
        """Whether the caller may make a key of this role: as an admin, and never above itself."""
        return self.reaches(max(role, Role.ADMIN, key=_RANKS.__getitem__), brand_ids)


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


def draw_key(randomness: Randomness, *, id_from: bytes | None = None) -> ApiKey:
    """Make a key nobody can guess; its id, which is no secret, may be given by a digest."""
    chosen = randomness(_ID_CHARACTERS) if id_from is None else id_from
    key_id = base64.b32encode(chosen).decode().lower()[:_ID_CHARACTERS]
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
