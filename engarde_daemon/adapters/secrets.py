"""Secrets at rest: envelope encryption with AES-256-GCM.

Each secret has a data key of its own, and that is wrapped by the key-encryption key of the file.
Both layers are bound to tenant and purpose, so that a row copied to another place does not open.

    1 byte form | 8 bytes key id | 12 nonce | 48 wrapped data key | 12 nonce | sealed secret

Owns the key file: one base64 key a line. The first line seals; all of them open, so that a new
line on top begins a rotation.
"""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engarde_daemon.adapters.private_files import create_private
from engarde_daemon.domain.access import Randomness
from engarde_daemon.domain.errors import Corrupt, Rejected
from engarde_daemon.ports.secrets import Purpose

KEY_BYTES = 32

_FORM = b"\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
_WRAPPED_BYTES = KEY_BYTES + 16


class EnvelopeBox:
    """The `SecretBox` port; the first key seals."""

    def __init__(self, keys: Sequence[bytes], randomness: Randomness) -> None:
        self._randomness = randomness
        self.adopt(keys)

    def adopt(self, keys: Sequence[bytes]) -> None:
        """Seal with the first of these from now on, and open with all of them and no others."""
        self._keys = {_id_of(key): AESGCM(key) for key in keys}
        self._sealing = _id_of(keys[0])

    @property
    def key_ids(self) -> Sequence[bytes]:
        """See `SecretBox.key_ids`."""
        return tuple(self._keys)

    def seal(self, secret: str, purpose: Purpose) -> bytes:
        """See `SecretBox.seal`."""
        head = _FORM + self._sealing
        bound = head + _name_of(purpose)
        data_key = self._randomness(KEY_BYTES)
        first, second = self._randomness(_NONCE_BYTES), self._randomness(_NONCE_BYTES)
        wrapped = self._keys[self._sealing].encrypt(first, data_key, bound)
        sealed = AESGCM(data_key).encrypt(second, secret.encode(), bound)
        return head + first + wrapped + second + sealed

    def open(self, sealed: bytes, purpose: Purpose) -> str:
        """See `SecretBox.open`."""
        head, first, wrapped, second, rest = _parts(sealed)
        key = self._keys.get(head[1:])
        if head[:1] != _FORM or key is None or not rest:
            raise Corrupt(
                "A secret was sealed with a key that [secrets] key_file does not hold. Put the key "
                "back, or set the secret again."
            )
        bound = head + _name_of(purpose)
        try:
            return AESGCM(key.decrypt(first, wrapped, bound)).decrypt(second, rest, bound).decode()
        except InvalidTag as error:
            raise Corrupt("A sealed secret was changed, or belongs elsewhere.") from error


def load_keys(file: Path, randomness: Randomness, *, make: bool) -> list[bytes]:
    """The keys of a file; where there is none, one is made if it may be.

    Raises:
        Rejected: The file is missing or holds something else than keys.
        OSError: It cannot be read or written.
    """
    if make and not file.exists():
        create_private(file, base64.b64encode(randomness(KEY_BYTES)) + b"\n")
    try:
        keys = [base64.b64decode(line, validate=True) for line in file.read_bytes().split()]
    except FileNotFoundError as error:
        raise Rejected(f"[secrets] key_file: {file} does not exist.") from error
    except ValueError:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise Rejected(
            f"[secrets] key_file: {file} must hold one key a line, each {KEY_BYTES} random bytes in "
            f"base64, as `openssl rand -base64 {KEY_BYTES}` makes them."
        )
    return keys


def _parts(sealed: bytes) -> list[bytes]:
    parts = []
    for length in (1 + _ID_BYTES, _NONCE_BYTES, _WRAPPED_BYTES, _NONCE_BYTES, len(sealed)):
        parts.append(sealed[:length])
        sealed = sealed[length:]
    return parts


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_ID_BYTES]


def _name_of(purpose: Purpose) -> bytes:
    return b"\x00".join(part.encode() for part in (purpose.tenant_id, purpose.name))
