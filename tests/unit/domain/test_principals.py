"""Which role a caller has where, and which keys it may make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.access import Principal, Role

BRANDS = ("a", "b", "c")
roles = st.sampled_from(list(Role))
scopes = st.none() | st.lists(st.sampled_from(BRANDS), max_size=3)
reaches = st.none() | st.dictionaries(st.sampled_from(BRANDS), roles, min_size=1)


def principal(role: Role, brands: dict[str, Role] | None = None) -> Principal:
    """A caller."""
    return Principal(key_id="k", tenant_id="t", brand_id="a", user_id="u", role=role, brands=brands)


@st.composite
def principals(draw: st.DrawFn) -> Principal:
    """Any caller whose role is the highest of its brands."""
    brands = draw(reaches)
    role = draw(roles) if brands is None else max(brands.values(), key=list(Role).index)
    return principal(role, brands)


@pytest.mark.parametrize("required", list(Role))
def test_no_role_reaches_an_empty_list_of_brands(required: Role):
    """What names nothing gives nothing."""
    assert not principal(Role.OPERATOR, {"a": Role.OPERATOR}).reaches(required, [])


def test_a_brand_that_is_not_the_callers_has_no_role():
    """Not even the least."""
    caller = principal(Role.ADMIN, {"a": Role.ADMIN})

    assert caller.role_in("b") is None
    assert not caller.reaches(Role.VIEWER, ["a", "b"])


def test_nobody_of_some_brands_reaches_the_whole_tenant():
    """Whatever the role is."""
    assert not principal(Role.OPERATOR, {"a": Role.OPERATOR}).reaches(Role.VIEWER, None)


@given(principals(), roles, scopes)
def test_a_key_opens_nothing_that_its_maker_could_not(
    maker: Principal, role: Role, brand_ids: list[str] | None
):
    """In every brand of it, whatever was granted."""
    if maker.may_grant(role, brand_ids):
        key = principal(role, None if brand_ids is None else dict.fromkeys(brand_ids, role))
        for brand_id in BRANDS:
            for required in Role:
                if key.reaches(required, [brand_id]):
                    assert maker.reaches(required, [brand_id])


@given(principals(), roles, scopes)
def test_only_administrators_make_keys(maker: Principal, role: Role, brand_ids: list[str] | None):
    """Of all the brands that the key is for."""
    if maker.may_grant(role, brand_ids):
        assert maker.reaches(Role.ADMIN, brand_ids)


@given(roles, roles)
def test_an_administrator_of_the_tenant_makes_what_does_not_surpass_it(maker: Role, role: Role):
    """For the whole tenant and for any brand."""
    allowed = maker.reaches(Role.ADMIN) and maker.reaches(role)

    assert principal(maker).may_grant(role, None) is allowed
    assert principal(maker).may_grant(role, ["a"]) is allowed


def test_an_administrator_governs_the_brands_it_administers():
    """Not those that it may only see; whoever is bound to no brand governs the whole tenant."""
    several = {"a": Role.ADMIN, "b": Role.VIEWER, "c": Role.OPERATOR}

    assert principal(Role.OPERATOR, several).governed() == ["a", "c"]
    assert principal(Role.EDITOR, {"a": Role.EDITOR}).governed() == []
    assert principal(Role.ADMIN).governed() is None
