"""Signing keys that change, that cannot be had, and that never existed."""

import uuid
from collections.abc import AsyncIterator, Iterator

import anyio
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import House, running, taking_tokens
from tests.acceptance.content import problem_of
from tests.support.issuer import AUDIENCE, ISSUER, Issuer, publishing
from tests.support.patience import PATIENCE_S
from tests.support.running import DidNotStart

INTERVALS = 3
FLOOD = 50
AT_ONCE = 4
LOOK_S = 0.05
SECRET = "a secret of the platform and the daemon"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer of one's own, with one key."""
    issuer = Issuer()
    issuer.add("old")
    with publishing(issuer):
        yield issuer


async def settled_in(server: EmbeddedPostgres, issuer: Issuer, **more: str) -> AsyncIterator[House]:
    """A house of one's own that trusts this issuer."""
    async with running(server, **taking_tokens(issuer), **more) as daemon:
        tenant = daemon.new_tenant()
        yield House(daemon, issuer, tenant, await daemon.new_brand(tenant))


@pytest.fixture
async def patient(postgres_server: EmbeddedPostgres, issuer: Issuer) -> AsyncIterator[House]:
    """A daemon that asks the issuer at its start, and then for unknown keys once in an hour."""
    more = {"ENGARDE_AUTH__JWKS_SEEK_S": "3600", "ENGARDE_AUTH__JWKS_REFRESH_S": "3600"}
    async for house in settled_in(postgres_server, issuer, **more):
        yield house


@pytest.fixture
async def hasty(postgres_server: EmbeddedPostgres, issuer: Issuer) -> AsyncIterator[House]:
    """A daemon that renews its keys all the time, and gives them up after two seconds."""
    more = {
        "ENGARDE_AUTH__JWKS_SEEK_S": "0.1",
        "ENGARDE_AUTH__JWKS_REFRESH_S": "0.1",
        "ENGARDE_AUTH__JWKS_LASTS_S": "2",
    }
    async for house in settled_in(postgres_server, issuer, **more):
        yield house


@pytest.fixture(scope="module")
async def only_curious(postgres_server: EmbeddedPostgres) -> AsyncIterator[House]:
    """A daemon that asks the issuer at its start, and then for unknown keys once in a second."""
    issuer = Issuer()
    issuer.add("old")
    more = {"ENGARDE_AUTH__JWKS_SEEK_S": "1", "ENGARDE_AUTH__JWKS_REFRESH_S": "3600"}
    with publishing(issuer):
        async for house in settled_in(postgres_server, issuer, **more):
            yield house


@pytest.fixture
def curious(only_curious: House) -> Iterator[House]:
    """The same, whose issuer is well again whatever a test made of it."""
    yield only_curious
    only_curious.issuer.answers, only_curious.issuer.garbage = True, None


async def status_with(house: House, token: str) -> int:
    """What a list answers to a token."""
    async with house.bearer(token) as http:
        return (await http.get("/api/content")).status_code


async def until_status(house: House, status: int, key_id: str, user_id: str) -> httpx.Response:
    """Ask with fresh tokens until a list answers so."""
    with anyio.fail_after(PATIENCE_S):
        number = 0
        while True:
            number += 1
            async with house.bearer(house.token(user_id, key_id=key_id, jti=str(number))) as http:
                answer = await http.get("/api/content")
            if answer.status_code == status:
                return answer
            await anyio.sleep(LOOK_S)


async def test_a_new_signing_key_works_at_once(patient: House):
    """The first token that names it has the keys fetched; those who come with it wait."""
    user_id = await patient.user(first="member")
    assert await status_with(patient, patient.token(user_id, key_id="old")) == 200
    patient.issuer.add("new")
    patient.issuer.published.remove("old")
    statuses: list[int] = []

    async def ask(number: int) -> None:
        token = patient.token(user_id, key_id="new", jti=str(number))
        statuses.append(await status_with(patient, token))

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(ask, number)

    assert statuses == [200] * 20
    assert patient.issuer.asked == 2


async def test_a_withdrawn_signing_key_ends(hasty: House):
    """Once the keys were fetched again."""
    user_id = await hasty.user(first="member")
    hasty.issuer.add("new")
    assert (await until_status(hasty, 200, "old", user_id)).status_code == 200
    hasty.issuer.published.remove("old")

    problem_of(await until_status(hasty, 401, "old", user_id), 401)


async def test_a_flood_of_unknown_keys_asks_the_issuer_once(patient: House):
    """However many tokens name keys that do not exist; true ones work meanwhile."""
    user_id = await patient.user(first="member")
    before = patient.issuer.asked
    statuses: list[int] = []

    async def ask(number: int) -> None:
        forged = patient.token(user_id, key_id="old", header={"kid": f"unknown-{number}"})
        statuses.append(await status_with(patient, forged))

    async with anyio.create_task_group() as tasks:
        for number in range(FLOOD):
            tasks.start_soon(ask, number)

    assert statuses == [401] * FLOOD
    assert patient.issuer.asked - before <= 1
    assert await status_with(patient, patient.token(user_id, key_id="old")) == 200


async def test_a_flood_that_goes_on_asks_the_issuer_once_an_interval(curious: House):
    """Counted at the issuer, by its own clock, while nothing else makes the daemon ask."""
    user_id = await curious.user(first="member")
    began, asked = anyio.current_time(), await times_asked(curious, user_id, INTERVALS)

    assert anyio.current_time() - began >= INTERVALS - 1
    assert asked > INTERVALS


async def times_asked(house: House, user_id: str, times: int) -> int:
    """Show tokens of unknown keys until the issuer was asked so often; answers with their number."""
    before, statuses = house.issuer.asked, list[int]()

    async def show() -> None:
        forged = house.token(user_id, key_id="old", header={"kid": f"unknown-{uuid.uuid4()}"})
        statuses.append(await status_with(house, forged))

    while house.issuer.asked - before < times:
        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(show)
        await anyio.sleep(LOOK_S)
    assert set(statuses) == {401}
    return len(statuses)


@pytest.mark.parametrize("harm", ["away", "garbage", "empty", "too much", "symmetric"])
async def test_tokens_outlast_an_outage_of_the_issuer(curious: House, harm: str):
    """Keys that were fetched once go on proving tokens, whatever the issuer answers now."""
    user_id = await curious.user(first="member")
    issuer = curious.issuer
    issuer.answers = harm != "away"
    issuer.garbage = {
        "garbage": b"<html>",
        "empty": b'{"keys":[]}',
        "too much": b" " * 300_000,
        "symmetric": b'{"keys":[{"kty":"oct","kid":"old","k":"AAAAAAAAAAAAAAAAAAAAAA"}]}',
    }.get(harm)

    await times_asked(curious, user_id, 1)
    assert await status_with(curious, curious.token(user_id, key_id="old")) == 200


async def test_keys_that_cannot_be_renewed_for_too_long_prove_nothing(hasty: House):
    """503 beyond the hard limit: nobody can tell any more; and all is well when they come back."""
    user_id = await hasty.user(first="member")
    await until_status(hasty, 200, "old", user_id)
    hasty.issuer.answers = False

    problem = problem_of(await until_status(hasty, 503, "old", user_id), 503)
    assert "signing keys" in problem["detail"]
    async with hasty.daemon.caller(hasty.daemon.new_key(hasty.tenant).api_key) as http:
        assert (await http.get("/api/content")).status_code == 200
    hasty.issuer.answers = True
    await until_status(hasty, 200, "old", user_id)


async def test_a_daemon_starts_without_its_issuer(
    postgres_server: EmbeddedPostgres, issuer: Issuer
):
    """API keys need none; tokens are answered with 503 until it comes."""
    issuer.answers = False
    async for house in settled_in(postgres_server, issuer, ENGARDE_AUTH__JWKS_SEEK_S="0.1"):
        user_id = await house.user(first="member")
        answer = await until_status(house, 503, "old", user_id)
        assert int(answer.headers["retry-after"]) >= 1
        issuer.answers = True
        await until_status(house, 200, "old", user_id)


async def test_a_redirect_of_the_issuer_is_not_followed(
    postgres_server: EmbeddedPostgres, issuer: Issuer
):
    """The address of the keys is the one that was configured."""
    with publishing(Issuer()) as lured:
        issuer.redirect_to = lured.url
        async for house in settled_in(postgres_server, issuer):
            user_id = await house.user(first="member")
            await until_status(house, 503, "old", user_id)
        assert lured.asked == 0


async def test_a_shared_secret_proves_tokens_too(postgres_server: EmbeddedPostgres, issuer: Issuer):
    """HS256 and nothing else, with or without a kid."""
    issuer.share(SECRET)
    settings = {
        "ENGARDE_AUTH__JWT_SECRET": SECRET,
        "ENGARDE_AUTH__ISSUER": ISSUER,
        "ENGARDE_AUTH__AUDIENCE": AUDIENCE,
    }
    async with running(postgres_server, **settings) as daemon:
        tenant = daemon.new_tenant()
        house = House(daemon, issuer, tenant, await daemon.new_brand(tenant))
        user_id = await house.user(first="member")

        assert await status_with(house, house.token(user_id, key_id="shared")) == 200
        assert await status_with(house, house.token(user_id, key_id="shared384")) == 401
        assert await status_with(house, house.token(user_id, key_id="old")) == 401
        assert SECRET.encode() not in await daemon.logged()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"AUTH__JWKS_URL": "http://127.0.0.1/jwks"}, "auth.jwks_url"),
        ({"AUTH__JWKS_URL": "file:///etc/passwd"}, "auth.jwks_url"),
        ({"AUTH__JWT_SECRET": "too short"}, "auth.jwt_secret"),
        ({"AUTH__JWT_SECRET": SECRET, "AUTH__JWKS_URL": "https://a.example/"}, "auth.jwt_secret"),
        ({"AUTH__AUDIENCE": ""}, "auth.audience"),
        ({"AUTH__ISSUER": ""}, "auth.issuer"),
    ],
)
async def test_settings_that_would_take_any_token_are_refused(
    postgres_server: EmbeddedPostgres, settings: dict[str, str], named: str
):
    """The daemon does not start, and says which setting is wrong, but not what it holds."""
    sound = {"AUTH__JWKS_URL": "https://a.example/", "AUTH__ISSUER": ISSUER, "AUTH__AUDIENCE": "a"}
    given = {f"ENGARDE_{name}": text for name, text in {**sound, **settings}.items()}
    with pytest.raises(DidNotStart) as refusal:
        async with running(postgres_server, **given):
            pass

    assert named in refusal.value.words
    assert "too short" not in refusal.value.words
