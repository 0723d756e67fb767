"""Keys that verify signatures, each bound to the algorithms it may be used with.

Owns the rule that a token never chooses its algorithm: the key that its `kid` names does (RFC 8725,
section 3.1). A key set is read key by key, and a key that could do harm is left out: symmetric
ones, private ones, weak ones, those that are not for signatures.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.util import urlsafe_b64decode

KEYS_MAX = 64
KEY_ID_CHARACTERS_MAX = 256
RSA_BITS_MIN = 2048

_LOG = structlog.get_logger("engarde.tokens")
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = MappingProxyType(
    {
        "P-256": frozenset({"ES256"}),
        "P-384": frozenset({"ES384"}),
        "P-521": frozenset({"ES512"}),
        # RFC 9864 gives the algorithm a name of its own; RFC 8037 shared one among two curves.
        "Ed25519": frozenset({"Ed25519", "EdDSA"}),
    }
)


class Signer(msgspec.Struct, frozen=True):
    """A key that verifies, and the algorithms with which it may."""

    key: Key
    algorithms: frozenset[str]


class KeySetUnreadable(Exception):
    """What the issuer publishes is no set of keys."""


def shared_secret(secret: str) -> Signer:
    """The signer that a secret shared with the platform makes."""
    return Signer(OctKey.import_key(secret.encode()), frozenset({"HS256"}))


def read_key_set(raw: bytes) -> Mapping[str, Signer]:
    """The usable keys of a JWK set (RFC 7517), by id.

    Raises:
        KeySetUnreadable: It is no JWK set, or none of its keys is usable.
    """
    signers: dict[str, Signer] = {}
    for described in _described(raw):
        key_id = described.get("kid")
        if not isinstance(key_id, str) or not 0 < len(key_id) <= KEY_ID_CHARACTERS_MAX:
            _left_out("", "it has no kid")
            continue
        try:
            signers.setdefault(key_id, _signer(described))
        except (JoseError, ValueError, TypeError) as error:  # all that joserfc 1.8 raises on a JWK
            _left_out(key_id, str(error))
    if not signers:
        raise KeySetUnreadable("none of its keys is usable")
    return MappingProxyType(signers)


def _described(raw: bytes) -> list[dict[str, Any]]:
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise KeySetUnreadable("it is no JSON document") from None
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > KEYS_MAX:
        raise KeySetUnreadable(f"it has no list `keys` of at most {KEYS_MAX} keys")
    return [key for key in keys if isinstance(key, dict)]


def _signer(described: Mapping[str, Any]) -> Signer:
    if described.get("use", "sig") != "sig" or "verify" not in described.get("key_ops", ["verify"]):
        raise ValueError("it is not for signatures")
    if "d" in described:
        raise ValueError("its private part is published")
    # Without its alg, for joserfc 1.8 would insist on the one name of an algorithm that has two.
    key, algorithms = _imported({n: v for n, v in described.items() if n != "alg"})
    wanted = described.get("alg")
    if wanted is None:
        return Signer(key, algorithms - {"PS256", "RS384", "PS384", "RS512", "PS512"})
    if wanted not in algorithms:
        raise ValueError("its alg does not suit its type")
    return Signer(key, algorithms if "EdDSA" in algorithms else frozenset({wanted}))


def _imported(described: dict[str, Any]) -> tuple[Key, frozenset[str]]:
    match described.get("kty"):
        case "RSA":
            modulus = urlsafe_b64decode(str(described.get("n")).encode())
            if int.from_bytes(modulus).bit_length() < RSA_BITS_MIN:
                raise ValueError(f"it has fewer than {RSA_BITS_MIN} bits")
            return RSAKey.import_key(described), _RSA
        case "EC" if described.get("crv") in {"P-256", "P-384", "P-521"}:
            return ECKey.import_key(described), _CURVES[described["crv"]]
        case "OKP" if described.get("crv") == "Ed25519":
            return OKPKey.import_key(described), _CURVES["Ed25519"]
        case _:
            raise ValueError("its type is not one that is taken")


def _left_out(key_id: str, reason: str) -> None:
    _LOG.warning("signing key left out", key_id=key_id[:60], reason=reason[:200])
