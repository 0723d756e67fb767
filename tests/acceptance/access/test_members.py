"""What a user with a token may do: membership decides, and the token may narrow it."""

from typing import Any

import pytest

from tests.acceptance.access.conftest import House
from tests.acceptance.content import created, draft, problem_of


async def brands_of(house: House, user_id: str, **claims: Any) -> dict[str, str]:
    """The role that a user has in each brand it reaches."""
    async with house.bearer(house.token(user_id, **claims)) as http:
        answer = await http.get("/api/brands")
    assert answer.status_code == 200, answer.text
    return {brand["id"]: brand["role"] for brand in answer.json()["data"]}


@pytest.mark.parametrize(
    ("word", "role"),
    [("owner", "admin"), ("admin", "admin"), ("member", "editor"), ("viewer", "viewer")],
)
async def test_a_member_has_the_role_of_its_membership(house: House, word: str, role: str):
    """In its brand, and in no other."""
    user_id = await house.user(first=word)

    assert await brands_of(house, user_id) == {house.tenant.brand_id: role}


async def test_roles_differ_from_brand_to_brand(house: House):
    """The role of each brand is the one that counts there."""
    user_id = await house.user(first="viewer", second="owner")
    async with house.bearer(house.token(user_id)) as http:
        refused = await http.post("/api/content", json=draft(brand_id=house.tenant.brand_id))
        made = await created(http, brand_id=house.other_brand)

    problem_of(refused, 403)
    assert made["brand_id"] == house.other_brand


async def test_a_user_without_membership_may_nothing(house: House):
    """A true token of somebody who is in no brand is 403 on every route."""
    async with house.bearer(house.token(await house.user())) as http:
        problem_of(await http.get("/api/brands"), 403)


async def test_an_inactive_membership_is_none(house: House):
    """`is_active` false."""
    user_id = await house.user(first="owner", second="member")
    await house.deactivate(user_id, house.tenant.brand_id)

    assert await brands_of(house, user_id) == {house.other_brand: "editor"}


async def test_a_membership_of_another_tenant_opens_nothing(house: House):
    """The tenant of the token and of the membership must be the same one."""
    user_id = await house.user(first="owner")
    stranger = house.daemon.new_tenant()
    async with house.bearer(house.token(user_id, tenant_id=stranger.tenant_id)) as http:
        problem_of(await http.get("/api/content"), 403)


async def test_a_tenant_that_does_not_exist_is_like_one_without_the_user(house: House):
    """The answer tells nobody which tenants there are."""
    user_id = await house.user(first="owner")
    answers = []
    for tenant_id in (house.daemon.new_tenant().tenant_id, "nobodys-tenant"):
        async with house.bearer(house.token(user_id, tenant_id=tenant_id)) as http:
            answers.append(problem_of(await http.get("/api/content"), 403))

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("viewer", "viewer"),
        ("member", "editor"),
        ("admin", "admin"),
        ("owner", "admin"),
        ("a word of the platform", "viewer"),
        (["viewer", "editor"], "editor"),
        ([], "viewer"),
    ],
)
async def test_a_role_in_the_token_narrows_membership(house: House, said: object, role: str):
    """An owner with a token for viewing views; a word that nobody explained allows the least."""
    user_id = await house.user(first="owner")

    assert await brands_of(house, user_id, role=said) == {house.tenant.brand_id: role}


@pytest.mark.parametrize("said", ["admin", "owner", "operator"])
async def test_a_role_in_the_token_never_widens_membership(house: House, said: str):
    """A viewer stays one, whatever its token says."""
    user_id = await house.user(first="viewer")

    assert await brands_of(house, user_id, role=said) == {house.tenant.brand_id: "viewer"}


async def test_an_operator_is_one_by_the_configured_word(house: House):
    """`[auth] operator_roles` is the only way to it, and needs no membership."""
    user_id = await house.user()

    brands = await brands_of(house, user_id, role="platform-operator")

    assert brands == {house.tenant.brand_id: "operator", house.other_brand: "operator"}


async def test_the_first_brand_is_meant_where_none_is_named(house: House):
    """Of those the user is a member of."""
    user_id = await house.user(second="member")
    async with house.bearer(house.token(user_id)) as http:
        assert (await created(http))["brand_id"] == house.other_brand


async def test_the_brand_of_the_token_is_meant_where_none_is_named(house: House):
    """`brand_id` in the token, if the user is a member of it."""
    user_id = await house.user(first="member", second="member")
    for brand_id in (house.tenant.brand_id, house.other_brand):
        async with house.bearer(house.token(user_id, brand_id=brand_id)) as http:
            assert (await created(http))["brand_id"] == brand_id


@pytest.mark.parametrize("roles", [{"first": "owner"}, {"first": "owner", "second": "owner"}])
async def test_a_token_for_a_brand_that_is_not_the_users_writes_nowhere(
    house: House, roles: dict[str, str]
):
    """Falling back to another brand would put what was written into the wrong one."""
    user_id = await house.user(**roles)
    foreign = house.daemon.new_tenant().brand_id
    async with house.bearer(house.token(user_id, brand_id=foreign)) as http:
        problem_of(await http.post("/api/content", json=draft()), 404)
        assert (await created(http, brand_id=house.tenant.brand_id))["title"] == "A title"


async def test_what_a_user_writes_is_signed_with_its_id(house: House):
    """`sub` is the user that versions name."""
    user_id = await house.user(first="member")
    async with house.bearer(house.token(user_id)) as http:
        made = await created(http)
        read = (await http.get(f"/api/content/{made['id']}")).json()

    assert [version["changed_by"] for version in read["versions"]] == [user_id]


async def test_idempotency_keys_belong_to_the_user(house: House):
    """Another token of the same user repeats a request, another user makes another."""
    ids: list[str] = []
    for user_id in [await house.user(first="member")] * 2 + [await house.user(first="member")]:
        token = house.token(user_id, jti=str(len(ids)))
        async with house.bearer(token) as http:
            answer = await http.post(
                "/api/content", json=draft(), headers={"Idempotency-Key": "the-same"}
            )
            assert answer.status_code == 201, answer.text
            ids.append(answer.json()["id"])

    assert ids[0] == ids[1] != ids[2]
