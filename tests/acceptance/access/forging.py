"""Tokens that no issuer would sign, or that say what must not be believed, each under its name."""

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.acceptance.access.conftest import House
from tests.support.issuer import claims_of, segment

Forge = Callable[[House, str], str]


def _said(house: House, user_id: str, **claims: object) -> dict[str, Any]:
    return claims_of(**{"sub": user_id, "tenant_id": house.tenant.tenant_id, **claims})


def _parts(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return f"{segment(json.dumps(header).encode())}.{segment(json.dumps(claims).encode())}"


def _unsigned(algorithm: str) -> Forge:
    header = {"alg": algorithm, "kid": "rsa", "typ": "JWT"}
    return lambda house, user_id: _parts(header, _said(house, user_id)) + "."


def _with_public_key_as_secret(algorithm_key: str) -> Forge:
    """RFC 8725 section 2.1: a key that everyone has, as the secret of an HMAC."""

    def forge(house: House, user_id: str) -> str:
        key: Any = house.issuer.keys[algorithm_key][0]
        secret = key.as_pem(private=False)
        signing = _parts({"alg": "HS256", "kid": algorithm_key}, _said(house, user_id))
        return f"{signing}.{segment(hmac.digest(secret, signing.encode(), 'sha256'))}"

    return forge


def _by_a_stranger(**header: object) -> Forge:
    """Signed by a key of the forger's own, which the header may recommend."""

    def forge(house: House, user_id: str) -> str:
        own = RSAKey.generate_key(2048, {"kid": "rsa"})
        certificate = base64.b64encode(own.as_der(private=False)).decode()
        known = {"OWN KEY": own.as_dict(private=False), "OWN CERTIFICATE": [certificate]}
        more = {name: known.get(str(value), value) for name, value in header.items()}
        head = {"alg": "RS256", "kid": "rsa", **more}
        return jwt.encode(head, _said(house, user_id), own, algorithms=["RS256"])

    return forge


def _true(header: dict[str, Any] | None = None, **claims: object) -> Forge:
    """Truly signed by the issuer, with claims or header members that make it worthless.

    Claims that are times are given as seconds from now.
    """

    def forge(house: House, user_id: str) -> str:
        times = {"exp", "nbf", "iat"} & claims.keys()
        given = {
            name: time.time() + value if name in times and isinstance(value, int) else value
            for name, value in claims.items()
        }
        said = _said(house, user_id, **given)
        head = json.dumps({"alg": "RS256", "kid": "rsa", **(header or {})})
        return house.issuer.signed("rsa", head.encode(), json.dumps(said).encode())

    return forge


def _raw(
    *, header: str = '{"alg":"RS256","kid":"rsa"}', more: str = "", without: str = ""
) -> Forge:
    """Truly signed, with JSON as only bytes can say it."""

    def forge(house: House, user_id: str) -> str:
        said = _said(house, user_id, **({without: None} if without else {}))
        payload = f"{json.dumps(said)[:-1]}{more}}}"
        return house.issuer.signed("rsa", header.encode(), payload.encode())

    return forge


def _signed(payload: bytes) -> Forge:
    header = b'{"alg":"RS256","kid":"rsa"}'
    return lambda house, _: house.issuer.signed("rsa", header, payload)


def _broken(harm: Callable[[str], str]) -> Forge:
    return lambda house, user_id: harm(house.token(user_id))


def _with_signature_of(key_id: str) -> Forge:
    """The header names one key, another one signed."""

    def forge(house: House, user_id: str) -> str:
        head = json.dumps({"alg": "RS256", "kid": "rsa"}).encode()
        return house.issuer.signed(key_id, head, json.dumps(_said(house, user_id)).encode())

    return forge


def _changed_payload(token: str) -> str:
    head, payload, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    said["role"] = "platform-operator"
    return f"{head}.{segment(json.dumps(said).encode())}.{signature}"


FORGED: dict[str, Forge] = {
    "alg none": _unsigned("none"),
    "alg nOnE": _unsigned("nOnE"),
    "alg none with a signature": _raw(header='{"alg":"none","kid":"rsa"}'),
    "no alg": _raw(header='{"kid":"rsa"}'),
    "alg is no text": _raw(header='{"alg":["RS256"],"kid":"rsa"}'),
    "HS256 with the RSA key": _with_public_key_as_secret("rsa"),
    "HS256 with the Ed25519 key": _with_public_key_as_secret("ed"),
    "another algorithm of the same key": _raw(header='{"alg":"RS384","kid":"rsa"}'),
    "PS256 for a key of RS256": _raw(header='{"alg":"PS256","kid":"rsa"}'),
    "ES256 for the RSA key": _raw(header='{"alg":"ES256","kid":"rsa"}'),
    "RS256 for the EC key": _raw(header='{"alg":"RS256","kid":"ec"}'),
    "signed by the EC key under the name of RSA": _with_signature_of("ec"),
    "kid of another key": _raw(header='{"alg":"RS256","kid":"ed"}'),
    "kid traversal": _true({"kid": "../../../../dev/null"}),
    "kid with a NUL": _raw(header='{"alg":"RS256","kid":"rsa\\u0000"}'),
    "SQL in kid": _true({"kid": "x' union select '1"}),
    "a command in kid": _true({"kid": "rsa|id"}),
    "kid is a number": _raw(header='{"alg":"RS256","kid":1}'),
    "kid is an object": _raw(header='{"alg":"RS256","kid":{"$ne":""}}'),
    "kid too long": _true({"kid": "k" * 300}),
    "empty kid": _true({"kid": ""}),
    "no kid": _raw(header='{"alg":"RS256"}'),
    "unknown kid": _true({"kid": "nobody's"}),
    "key of a stranger": _by_a_stranger(),
    "embedded jwk": _by_a_stranger(jwk="OWN KEY"),
    "jku": _by_a_stranger(jku="https://attacker.example.com/jwks.json"),
    "x5u": _by_a_stranger(x5u="https://attacker.example.com/cert.pem"),
    "x5c": _by_a_stranger(x5c="OWN CERTIFICATE"),
    "true, with jku": _true({"jku": "https://identity.example.com/jwks"}),
    "true, with jwk": _true({"jwk": {"kty": "oct", "k": "AA"}}),
    "crit": _true({"crit": ["exp"]}),
    "crit that names what is not there": _true({"crit": ["urn:x"], "urn:x": 1}),
    "b64": _true({"b64": False, "crit": ["b64"]}),
    "zip": _true({"zip": "DEF"}),
    "of another type": _true({"typ": "logout+jwt"}),
    "header too long": _true({"cty": "x" * 500}),
    "header is a list": _raw(header='["RS256"]'),
    "header says alg twice": _raw(header='{"alg":"none","alg":"RS256","kid":"rsa"}'),
    "header says kid twice": _raw(header='{"alg":"RS256","kid":"ec","kid":"rsa"}'),
    "header nested too deep": _raw(header='{"alg":"RS256","kid":"rsa","x":' + "[" * 150),
    "expired": _true(exp=-3600),
    "expired before the leeway": _true(exp=-31),
    "no exp": _true(exp=None),
    "exp is text": _true(exp="9999999999"),
    "exp is true": _raw(more=',"exp":true', without="exp"),
    "exp is NaN": _raw(more=',"exp":NaN', without="exp"),
    "exp is null": _raw(more=',"exp":null', without="exp"),
    "exp never comes": _raw(more=',"exp":1e999', without="exp"),
    "nbf in the future": _true(nbf=3600),
    "nbf is text": _true(nbf="now"),
    "issued in the future": _true(iat=3600),
    "wrong aud": _true(aud="another-service"),
    "aud without us": _true(aud=["a", "b"]),
    "aud nearly ours": _true(aud="engarde-content2"),
    "aud in another case": _true(aud="Engarde-Content"),
    "aud is an object": _true(aud={"engarde-content": True}),
    "no aud": _true(aud=None),
    "empty aud": _true(aud=[]),
    "wrong iss": _true(iss="https://identity.example.com.evil.example/"),
    "iss without its slash": _true(iss="https://identity.example.com"),
    "iss is a list": _true(iss=["https://identity.example.com/"]),
    "no iss": _true(iss=None),
    "no sub": _true(sub=None),
    "empty sub": _true(sub=""),
    "sub is a number": _true(sub=1),
    "sub too long": _true(sub="s" * 37),
    "SQL in sub": _true(sub="' or 1=1 --"),
    "NUL in sub": _true(sub="a\x00b"),
    "half a surrogate pair in sub": _true(sub="\ud800"),
    "no tenant": _true(tenant_id=None),
    "tenant is a list": _true(tenant_id=["a"]),
    "SQL in tenant": _true(tenant_id="x' or '1'='1"),
    "roles of objects": _true(role=[{"name": "admin"}]),
    "exp twice": _raw(more=f',"exp":{2**33}'),
    "sub twice": _raw(more=',"sub":"another"'),
    "tenant twice": _raw(more=',"tenant_id":"another"'),
    "an unread claim twice": _raw(more=',"x":1,"x":1'),
    "an endless number": _raw(more=f',"x":{"9" * 5000}'),
    "nested too deep": _raw(more=',"x":' + "[" * 2000 + "]" * 2000),
    "Infinity": _raw(more=',"x":Infinity'),
    "payload is a list": _signed(b"[]"),
    "payload is empty": _signed(b""),
    "payload is no UTF-8": _signed(b'{"sub":"\xff"}'),
    "changed payload": _broken(_changed_payload),
    "no signature": _broken(lambda token: token.rpartition(".")[0] + "."),
    "cut signature": _broken(lambda token: token[:-4]),
    "a fourth part": _broken(lambda token: token + ".AAAA"),
    "two parts": _broken(lambda token: token.rpartition(".")[0]),
    "padding": _broken(lambda token: token + "=="),
    "standard base64": _broken(lambda token: token + "+/"),
    "a space inside": _broken(lambda token: token.replace(".", ". ", 1)),
    "garbage": lambda *_: "garbage",
    "dots": lambda *_: "..",
    "as JSON": lambda *_: json.dumps({"payload": "x", "signatures": []}),
    "60 kB": _broken(lambda token: token + "A" * 60_000),
    "9 kB, truly signed": _true(padding="x" * 7000),
}
