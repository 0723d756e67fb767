"""What a user of the platform may do here, from a token and from the brands it is a member of.

Owns two rules. Membership decides: a token alone opens no brand. And a token may only narrow what
membership gives, with one exception that an operator of the daemon has to configure: the words of
the role claim that make an operator.
"""

import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Forbidden

# brand_members.role, as the platform writes it. Any other word opens nothing.
_MEMBER_ROLES = MappingProxyType(
    {
        "owner": Role.ADMIN,
        "admin": Role.ADMIN,
        "member": Role.EDITOR,
        "editor": Role.EDITOR,
        "viewer": Role.VIEWER,
    }
)


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a proved token says; `roles` is None where it says nothing of roles."""

    subject: str
    tenant_id: str
    brand_id: str | None
    roles: Sequence[str] | None
    expires_at: float


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """The brands a user is an active member of, with the platform's word for its role there."""

    roles: Mapping[str, str]
    brands_of_tenant: int


def principal_of(claims: Claims, membership: Membership, words: Mapping[str, Role]) -> Principal:
    """The caller that a token and a membership make together.

    Raises:
        Forbidden: The user is no active member of any brand of its tenant.
    """
    ceiling = _ceiling(claims.roles, words)
    brands = {
        brand_id: min(role, ceiling, key=list(Role).index)
        for brand_id, word in membership.roles.items()
        if (role := _MEMBER_ROLES.get(word)) is not None
    }
    if ceiling is Role.OPERATOR and claims.roles is not None:
        return _principal(claims, brands, Role.OPERATOR, everywhere=True)
    if not brands:
        raise Forbidden("Your user is not an active member of any brand of this tenant.")
    highest = max(brands.values(), key=list(Role).index)
    alike = len(set(brands.values())) == 1 and len(brands) == membership.brands_of_tenant
    return _principal(claims, brands, highest, everywhere=alike)


def _principal(
    claims: Claims, brands: Mapping[str, Role], role: Role, *, everywhere: bool
) -> Principal:
    return Principal(
        key_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:engarde:user:{claims.subject}")),
        tenant_id=claims.tenant_id,
        brand_id=_default_brand(claims, brands),
        user_id=claims.subject,
        role=role,
        brands=None if everywhere else MappingProxyType(dict(brands)),
    )


def _default_brand(claims: Claims, brands: Mapping[str, Role]) -> str:
    """The claimed brand, else the first; none where the claimed one is not the user's.

    Falling back there would put what a user writes for one brand into another.
    """
    if claims.brand_id is None:
        return next(iter(brands), "")
    return claims.brand_id if claims.brand_id in brands else ""


def _ceiling(roles: Sequence[str] | None, words: Mapping[str, Role]) -> Role:
    """The highest role the token allows; words that nobody explained allow the least."""
    if roles is None:
        return Role.OPERATOR
    known = [words.get(word, Role.VIEWER) for word in roles] or [Role.VIEWER]
    return max(known, key=list(Role).index)
