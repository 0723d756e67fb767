"""Tokens that prove nothing: each of them answers exactly like a key that nobody has.

The table follows RFC 8725 and the attacks that libraries fell for.
"""

import httpx
import pytest

from tests.acceptance.access.conftest import House
from tests.acceptance.access.forging import FORGED
from tests.acceptance.content import problem_of

OF_THE_REQUEST = {"x-request-id", "date"}
NOBODYS_KEY = "eg_aaaaaaaaaaaa_" + "A" * 43


def seen(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """All that a caller can tell an answer by."""
    headers = {n: v for n, v in answer.headers.items() if n not in OF_THE_REQUEST}
    return answer.status_code, headers, answer.text


async def test_a_true_token_is_taken(house: House):
    """Or none of the refusals below would mean anything."""
    user_id = await house.user(first="member")
    for key_id in ("rsa", "ec", "ed"):
        async with house.bearer(house.token(user_id, key_id=key_id)) as http:
            assert (await http.get("/api/content")).status_code == 200


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_is_like_a_key_that_nobody_has(house: House, name: str):
    """The same 401, headers and body, and nothing of the token in the log."""
    user_id = await house.user(first="owner")
    token = FORGED[name](house, user_id)
    before = house.daemon.process.log.stat().st_size

    async with house.daemon.caller(NOBODYS_KEY) as nobody:
        expected = seen(await nobody.get("/api/content"))
    async with house.bearer(token) as http:
        answer = await http.get("/api/content")

    problem_of(answer, 401)
    assert seen(answer) == expected
    assert token.encode() not in await house.daemon.logged(before) or len(token) < 10


async def test_a_token_of_200_kb_is_refused_before_it_is_read(house: House):
    """By the bound on all headers together."""
    token = house.token(await house.user(first="owner"))
    async with house.bearer(token + "A" * 200_000) as http:
        assert (await http.get("/api/content")).status_code in {400, 431}


@pytest.mark.parametrize("scheme", ["Basic ", "Token ", "JWT ", "Bearer:", ""])
async def test_a_token_under_another_scheme_is_no_token(house: House, scheme: str):
    """Only Bearer is known (RFC 6750)."""
    token = house.token(await house.user(first="owner"))
    async with house.daemon.caller(None) as http:
        answer = await http.get("/api/content", headers={"Authorization": f"{scheme}{token}"})

    problem_of(answer, 401)


async def test_a_token_is_not_taken_from_elsewhere(house: House):
    """Neither from the query, which ends up in logs, nor from a cookie, which browsers send."""
    token = house.token(await house.user(first="owner"))
    async with house.daemon.caller(None) as http:
        problem_of(await http.get("/api/content", params={"access_token": token}), 401)
        problem_of(await http.get("/api/content", headers={"Cookie": f"token={token}"}), 401)


async def test_two_proofs_in_one_request_are_none(house: House):
    """A proxy and the daemon could each believe another one of them."""
    mine = house.token(await house.user(first="owner"))
    key = house.daemon.new_key(house.tenant).api_key
    async with house.daemon.caller(None) as http:
        for headers in (
            [("Authorization", f"Bearer {mine}"), ("Authorization", "Bearer forged")],
            [("Authorization", "Bearer forged"), ("Authorization", f"Bearer {mine}")],
            [("Authorization", f"Bearer {mine}"), ("X-API-Key", key)],
            [("X-API-Key", key), ("X-API-Key", key)],
        ):
            problem_of(await http.get("/api/content", headers=headers), 401)


async def test_an_api_key_still_is_an_api_key(house: House):
    """Where tokens are taken, keys are too, in either header."""
    key = house.daemon.new_key(house.tenant).api_key
    async with house.bearer(key) as http:
        assert (await http.get("/api/content")).status_code == 200
