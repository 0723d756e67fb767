"""Reads a compact JWS (RFC 7515) as a token of the platform, or refuses it.

Owns the order of distrust: size and form first, then the header, then the signature, and only what
is signed is parsed further. JSON that says a thing twice is refused, because two readers could
understand it differently.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NoReturn, TypeAlias

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode
from msgspec import Meta

from engarde_daemon.adapters.tokens.signers import KEY_ID_CHARACTERS_MAX, Signer
from engarde_daemon.domain.members import Claims
from engarde_daemon.ports.access import TokenRefused

TOKEN_CHARACTERS_MAX = 8192
ROLES_MAX = 32

_COMPACT = re.compile(r"([A-Za-z0-9_-]{1,683})\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# Members that bring a key of the sender's own, or ask for rules that are not ours (RFC 7515, 7797).
_UNTRUSTED = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"})
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})  # RFC 7519 section 5.1, RFC 9068

_Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,36}(?!\n)$")]
_Subject = Annotated[str, Meta(pattern=r"^[!-~]{1,36}(?!\n)$")]
_Word = Annotated[str, Meta(max_length=100)]
_Words = Annotated[list[_Word], Meta(max_length=ROLES_MAX)]


SignerOf: TypeAlias = Callable[[str | None], Signer]


class TokenRules(msgspec.Struct, frozen=True, kw_only=True):
    """Whose tokens are taken, for whom they must be made, and what their claims are called."""

    issuer: str
    audience: str
    leeway_s: float
    tenant_claim: str = "tenant_id"
    brand_claim: str = "brand_id"
    role_claim: str = "role"


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """The claims that the daemon reads, under names of its own."""

    subject: _Subject
    tenant_id: _Id
    brand_id: _Id | None = None
    roles: _Word | _Words | None = None
    expires_at: float


class TokenVerifier:
    """The `TokenReader` port; `signer_of` gives the key that a `kid` names."""

    def __init__(
        self,
        rules: TokenRules,
        signer_of: SignerOf,
        *,
        now: Callable[[], float],
    ) -> None:
        self._rules = rules
        self._signer_of = signer_of
        self._now = now

    def read(self, text: str) -> Claims:
        """See `TokenReader.read`."""
        header = _header_of(text)
        signer = self._signer_of(header.get("kid"))
        algorithm = header["alg"]
        if algorithm not in signer.algorithms:
            raise TokenRefused("its algorithm is not the one of its key")
        try:
            registry = _Registry(algorithms=[_modern(algorithm)])
            token = jwt.decode(text, signer.key, registry=registry, decoder_cls=_Strict)
            self._claims_registry().validate(token.claims)
        except (JoseError, ValueError, RecursionError) as error:
            raise TokenRefused(f"{type(error).__name__}: {str(error)[:100]}") from None
        return self._claims_of(token.claims)

    def _claims_registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=int(self._rules.leeway_s),
            iss={"essential": True, "value": self._rules.issuer},
            aud={"essential": True, "value": self._rules.audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    def _claims_of(self, claims: Mapping[str, Any]) -> Claims:
        rules = self._rules
        try:
            said = msgspec.convert(
                {
                    "subject": claims["sub"],
                    "tenant_id": claims.get(rules.tenant_claim),
                    "brand_id": claims.get(rules.brand_claim),
                    "roles": claims.get(rules.role_claim),
                    "expires_at": claims["exp"],
                },
                _Said,
            )
        except (msgspec.ValidationError, UnicodeEncodeError, OverflowError):
            raise TokenRefused("a claim is missing or malformed") from None
        return Claims(
            subject=said.subject,
            tenant_id=said.tenant_id,
            brand_id=said.brand_id,
            roles=[said.roles] if isinstance(said.roles, str) else said.roles,
            expires_at=said.expires_at + rules.leeway_s,
        )


def _header_of(text: str) -> Mapping[str, Any]:
    """The header of what looks like a token; nothing of it is true yet."""
    form = _COMPACT.fullmatch(text) if len(text) <= TOKEN_CHARACTERS_MAX else None
    if form is None:
        raise TokenRefused("it has not the form of a token")
    try:
        header = json.loads(urlsafe_b64decode(form[1].encode()), cls=_Strict)
    except (ValueError, RecursionError):
        raise TokenRefused("its header cannot be read") from None
    if not isinstance(header, dict) or not isinstance(header.get("alg"), str):
        raise TokenRefused("its header names no algorithm")
    if not _UNTRUSTED.isdisjoint(header):
        raise TokenRefused("its header asks for what is not trusted")
    if str(header.get("typ", "JWT")).lower() not in _TYPES:
        raise TokenRefused("it is of another type")
    key_id = header.get("kid")
    if key_id is not None and not (
        isinstance(key_id, str) and 0 < len(key_id) <= KEY_ID_CHARACTERS_MAX
    ):
        raise TokenRefused("its kid is malformed")
    return header


class _Registry(JWSRegistry):
    """Verifies what names the shared algorithm EdDSA as the one of its curve (RFC 9864)."""

    def get_alg(self, name: str) -> Any:
        """The model of an algorithm, if it is the one that is allowed."""
        return super().get_alg(_modern(name))


def _modern(algorithm: str) -> str:
    return "Ed25519" if algorithm == "EdDSA" else algorithm


class _Strict(json.JSONDecoder):
    """JSON in which nothing is said twice and every number is one."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        raise ValueError("a member comes twice")
    return named


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
