"""What a token and a membership make together."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Forbidden
from engarde_daemon.domain.members import Claims, Membership, principal_of

WORDS = {
    "boss": Role.OPERATOR,
    "admin": Role.ADMIN,
    "editor": Role.EDITOR,
    "viewer": Role.VIEWER,
}
HELD = {"owner": Role.ADMIN, "admin": Role.ADMIN, "member": Role.EDITOR, "viewer": Role.VIEWER}

memberships = st.dictionaries(
    st.sampled_from("abc"), st.sampled_from([*HELD, "guest", ""]), min_size=1
)
said = st.none() | st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=3)


def made(
    held: Mapping[str, str],
    roles: Sequence[str] | None = None,
    *,
    of: int = 9,
    brand_id: str | None = None,
    subject: str = "user",
) -> Principal:
    """The caller that these make."""
    claims = Claims(
        subject=subject, tenant_id="tenant", brand_id=brand_id, roles=roles, expires_at=0.0
    )
    return principal_of(claims, Membership(roles=held, brands_of_tenant=of), WORDS)


@pytest.mark.parametrize("held", [{}, {"a": "guest"}, {"a": ""}])
def test_whoever_is_no_member_is_refused(held: dict[str, str]):
    """Also under a word for a role that the platform has invented since."""
    with pytest.raises(Forbidden):
        made(held)


@given(memberships, said)
def test_a_token_never_widens_membership(held: dict[str, str], roles: list[str] | None):
    """Except by the word for operators."""
    if roles is not None and "boss" in roles:
        return
    try:
        caller = made(held, roles)
    except Forbidden:
        return
    for brand_id in "abc":
        role = caller.role_in(brand_id)
        assert role is None or HELD[held[brand_id]].reaches(role)


@given(memberships, st.lists(st.sampled_from(["editor", "viewer", "unknown"]), max_size=3))
def test_a_role_in_the_token_is_a_ceiling(held: dict[str, str], roles: list[str]):
    """The highest of several; words that nobody explained and an empty list allow the least."""
    ceiling = Role.EDITOR if "editor" in roles else Role.VIEWER
    try:
        assert ceiling.reaches(made(held, roles).role)
    except Forbidden:
        assert not set(held.values()) & HELD.keys()


def test_an_operator_needs_no_membership():
    """But the word for it, which is the operator's own setting."""
    caller = made({}, ["boss"])

    assert (caller.role, caller.brands, caller.brand_id) == (Role.OPERATOR, None, "")


def test_the_same_role_in_all_brands_is_one_role_for_the_tenant():
    """So that an owner of everything answers for the tenant."""
    caller = made({"a": "owner", "b": "admin"}, of=2)

    assert (caller.role, caller.brands) == (Role.ADMIN, None)


@pytest.mark.parametrize(
    ("held", "of"), [({"a": "owner"}, 2), ({"a": "owner", "b": "member"}, 2), ({"a": "owner"}, 0)]
)
def test_anything_less_is_a_role_in_brands(held: dict[str, str], of: int):
    """One brand too few, or another role in one of them."""
    brands = made(held, of=of).brands

    assert brands is not None
    assert brands.keys() == held.keys()


@pytest.mark.parametrize(("claimed", "meant"), [(None, "a"), ("a", "a"), ("b", "b"), ("z", "")])
def test_the_claimed_brand_is_meant_if_it_is_the_users(claimed: str | None, meant: str):
    """Without a claim the first one; never another one than was claimed."""
    assert made({"a": "owner", "b": "owner"}, of=2, brand_id=claimed).brand_id == meant


@given(st.text("abcdefghijklmnop234567", min_size=12, max_size=12))
def test_a_user_is_never_taken_for_a_key(subject: str):
    """Also where a user's id has the form of a key's: idempotency keys belong to either."""
    key_id = made({"a": "owner"}, subject=subject).key_id

    assert key_id != subject
    assert len(key_id) == 36
