"""Brands' voices: what generated content has to keep to."""

from typing import Any

import httpx
import pytest

from tests.acceptance.access.conftest import House
from tests.acceptance.content import fields_of, problem_of

VOICE: dict[str, Any] = {
    "tone": "Warm, plain, never shouting.",
    "language": "de-AT",
    "reading_level": 8,
    "banned_phrases": ["cheap", "guaranteed"],
    "required_phrases": ["Terms apply"],
    "hashtags": {"min": 1, "max": 5, "required": ["EnGarde"], "banned": ["ad"]},
    "emojis": {"allowed": True, "max": 2},
    "claims": [{"phrase": "twice as fast", "proof": "Study of 2025"}, {"phrase": "best in town"}],
}
NOBODYS = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def path(house: House) -> str:
    """The voice of the first brand."""
    return f"/api/brands/{house.tenant.brand_id}/voice"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"tone": 7, "volume": "loud"}, {"tone", "volume"}),
        ({"language": "German!"}, {"language"}),
        ({"reading_level": 0}, {"reading_level"}),
        ({"reading_level": 19}, {"reading_level"}),
        ({"banned_phrases": [""]}, {"banned_phrases[0]"}),
        ({"banned_phrases": ["x" * 201]}, {"banned_phrases[0]"}),
        ({"banned_phrases": ["x"] * 501}, {"banned_phrases"}),
        ({"hashtags": {"min": -1}}, {"hashtags.min"}),
        ({"hashtags": {"required": ["two words"]}}, {"hashtags.required[0]"}),
        ({"hashtags": {"required": ["#sign"]}}, {"hashtags.required[0]"}),
        ({"hashtags": {"count": 1}}, {"hashtags"}),
        ({"emojis": {"max": "few"}}, {"emojis.max"}),
        ({"claims": [{"proof": "none"}]}, {"claims[0]"}),
        ({"tone": "a\x00b"}, {"tone"}),
        ({"banned_phrases": ["Cheap"], "required_phrases": ["not CHEAP"]}, {"required_phrases[0]"}),
        ({"hashtags": {"min": 5, "max": 2}}, {"hashtags.min"}),
        ({"hashtags": {"max": 1, "required": ["a", "b"]}}, {"hashtags.required"}),
        ({"hashtags": {"required": ["Ad"], "banned": ["ad"]}}, {"hashtags.required[0]"}),
        ({"emojis": {"allowed": False, "max": 3}}, {"emojis.max"}),
    ],
)
async def test_a_voice_that_nothing_could_keep_to_is_refused(
    admin: httpx.AsyncClient, path: str, fields: dict[str, Any], wrong: set[str]
):
    """What is malformed and what contradicts itself, each by its field; nothing is kept."""
    assert fields_of(await admin.put(path, json={**VOICE, **fields})) == wrong
    assert (await admin.get(path)).json()["version"] == 0


async def test_a_brand_without_a_voice_has_the_default(admin: httpx.AsyncClient, path: str):
    """Version 0, in the shape of every other."""
    answer = await admin.get(path)

    view = answer.json()
    assert (answer.headers["etag"], view["version"], view["updated_at"]) == ('"0"', 0, None)
    assert view.keys() - VOICE.keys() == {"brand_id", "version", "updated_by", "updated_at"}
    default = {name: view[name] for name in VOICE}
    assert (await admin.put(path, json=default)).json().items() >= default.items()


async def test_a_voice_is_read_as_it_was_written(house: House, path: str):
    """With who wrote it and when."""
    user_id = await house.user(first="owner")
    async with house.bearer(house.token(user_id)) as http:
        answer = await http.put(path, json=VOICE)
        read = await http.get(path)

    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, read.json(), '"1"')
    view = read.json()
    assert (view["version"], view["updated_by"]) == (1, user_id)
    unproved = {**VOICE["claims"][1], "proof": None}
    assert view.items() >= {**VOICE, "claims": [VOICE["claims"][0], unproved]}.items()


async def test_what_is_left_out_takes_its_default(admin: httpx.AsyncClient, path: str):
    """A PUT replaces the whole."""
    await admin.put(path, json=VOICE)
    voice = (await admin.put(path, json={"tone": "dry"})).json()

    assert (voice["tone"], voice["language"], voice["banned_phrases"]) == ("dry", "en", [])


async def test_a_change_of_someone_who_saw_less_is_refused(admin: httpx.AsyncClient, path: str):
    """`If-Match` is the version one has seen; 0 is none."""
    first = await admin.put(path, json=VOICE, headers={"If-Match": '"0"'})
    late = await admin.put(path, json={"tone": "late"}, headers={"If-Match": '"0"'})
    second = await admin.put(path, json={"tone": "dry"}, headers={"If-Match": '"1"'})
    future = await admin.put(path, json={"tone": "?"}, headers={"If-Match": '"7"'})

    assert (first.status_code, second.headers["etag"]) == (200, '"2"')
    assert problem_of(late, 412)["current_version"] == 1
    assert problem_of(future, 412)["current_version"] == 2
    assert (await admin.get(path)).json()["tone"] == "dry"


async def test_a_version_that_never_was_is_refused(admin: httpx.AsyncClient, path: str):
    """Also where there is no voice yet."""
    answer = await admin.put(path, json=VOICE, headers={"If-Match": '"3"'})

    assert problem_of(answer, 412)["current_version"] == 0


async def test_an_unchanged_voice_is_not_sent_again(admin: httpx.AsyncClient, path: str):
    """`If-None-Match`."""
    etag = (await admin.put(path, json=VOICE)).headers["etag"]
    answer = await admin.get(path, headers={"If-None-Match": etag})

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


@pytest.mark.parametrize("role", ["viewer", "member"])
async def test_only_an_administrator_of_the_brand_sets_its_voice(
    house: House, path: str, role: str
):
    """Others read it; being one elsewhere helps nobody."""
    async with house.member(first=role, second="owner") as http:
        problem_of(await http.put(path, json=VOICE), 403)
        assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize("brand_id", [NOBODYS, "%00", "a" * 300, "STRANGER"])
async def test_a_brand_that_is_not_ones_own_does_not_exist(
    house: House, admin: httpx.AsyncClient, brand_id: str
):
    """Nobody's, another tenant's, or no id at all: all the same."""
    theirs = house.daemon.new_tenant().brand_id
    path = f"/api/brands/{brand_id.replace('STRANGER', theirs)}/voice"

    problem_of(await admin.get(path), 404)
    problem_of(await admin.put(path, json=VOICE), 404)


async def test_voices_of_brands_are_their_own(house: House, admin: httpx.AsyncClient, path: str):
    """Setting one leaves the other as it was."""
    await admin.put(path, json=VOICE)

    other = (await admin.get(f"/api/brands/{house.other_brand}/voice")).json()
    assert (other["version"], other["brand_id"]) == (0, house.other_brand)
