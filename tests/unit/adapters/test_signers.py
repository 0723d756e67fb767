"""Which published keys are taken, and for which algorithms."""

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from engarde_daemon.adapters.tokens.signers import KEYS_MAX, KeySetUnreadable, read_key_set
from tests.support.issuer import segment

RSA = RSAKey.generate_key(2048)
KEYS: dict[str, Any] = {
    "rsa": RSA.as_dict(private=False),
    "p256": ECKey.generate_key("P-256").as_dict(private=False),
    "p384": ECKey.generate_key("P-384").as_dict(private=False),
    "ed": OKPKey.generate_key("Ed25519").as_dict(private=False),
}
SOUND = {**KEYS["p384"], "kid": "sound"}


def published(*keys: Any) -> bytes:
    """A key set."""
    return json.dumps({"keys": list(keys)}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[7,null,"x"]}',
        b"<html>",
        b"\xff\xfe",
        b"[" * 100_000,
        published(*[SOUND] * (KEYS_MAX + 1)),
    ],
)
def test_what_is_no_key_set_is_refused_as_a_whole(raw: bytes):
    """So that the keys at hand stay."""
    with pytest.raises(KeySetUnreadable):
        read_key_set(raw)


@pytest.mark.parametrize(
    "harm",
    [
        {**KEYS["rsa"]},
        {**KEYS["rsa"], "kid": ""},
        {**KEYS["rsa"], "kid": 7},
        {**KEYS["rsa"], "kid": "k" * 300},
        {**KEYS["rsa"], "kid": "x", "use": "enc"},
        {**KEYS["rsa"], "kid": "x", "key_ops": ["sign"]},
        {**KEYS["rsa"], "kid": "x", "alg": "HS256"},
        {**KEYS["rsa"], "kid": "x", "alg": "none"},
        {**KEYS["rsa"], "kid": "x", "alg": ["RS256"]},
        {**KEYS["rsa"], "kid": "x", "n": "not base64!"},
        {**KEYS["rsa"], "kid": "x", "e": None},
        {**RSA.as_dict(private=True), "kid": "x"},
        {**KEYS["rsa"], "kid": "x", "n": segment(b"\xff" * 128)},
        {**KEYS["rsa"], "kid": "x", "n": segment(bytes(128) + b"\xff" * 128)},
        {**OctKey.generate_key(256).as_dict(private=True), "kid": "x"},
        {**KEYS["p256"], "kid": "x", "alg": "ES384"},
        {**KEYS["p256"], "kid": "x", "crv": "secp256k1"},
        {**ECKey.generate_key("secp256k1").as_dict(private=False), "kid": "x"},
        {**OKPKey.generate_key("Ed448").as_dict(private=False), "kid": "x"},
        {**OKPKey.generate_key("X25519").as_dict(private=False), "kid": "x"},
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "x", "pub": "AA"},
        {"kid": "x"},
    ],
)
def test_a_key_that_could_do_harm_is_left_out_alone(harm: dict[str, Any]):
    """The sound one beside it is taken."""
    assert read_key_set(published(harm, SOUND)).keys() == {"sound"}


@pytest.mark.parametrize(
    ("kind", "alg", "algorithms"),
    [
        ("rsa", None, {"RS256"}),
        ("rsa", "RS512", {"RS512"}),
        ("rsa", "PS256", {"PS256"}),
        ("p256", None, {"ES256"}),
        ("p384", "ES384", {"ES384"}),
        ("ed", None, {"EdDSA", "Ed25519"}),
        ("ed", "EdDSA", {"EdDSA", "Ed25519"}),
        ("ed", "Ed25519", {"EdDSA", "Ed25519"}),
    ],
)
def test_a_key_is_bound_to_its_algorithm(kind: str, alg: str | None, algorithms: set[str]):
    """The one it names, else the usual one of its type; Ed25519 has two names."""
    key = {**KEYS[kind], "kid": "x", **({"alg": alg} if alg else {})}

    assert read_key_set(published(key))["x"].algorithms == algorithms


def test_of_two_keys_under_one_id_the_first_counts():
    """Or a set could change meaning with its order of reading."""
    keys = read_key_set(published({**KEYS["p256"], "kid": "x"}, {**KEYS["ed"], "kid": "x"}))

    assert keys["x"].algorithms == {"ES256"}
