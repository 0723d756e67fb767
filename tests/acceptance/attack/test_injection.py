"""Text that is code somewhere else is text here, in every field of every route."""

import json

import httpx
import pytest

from tests.acceptance.attack.surface import Operation, strings_in, with_text
from tests.acceptance.content import problem_of
from tests.support.daemon import SharedDaemon, Tenant
from tests.support.inside import INSIDE_URLS

LONG = "x" * 100_000
MARK = "injected-canary"
POISONS = {
    "sql": f"'; drop table public.content_items; -- {MARK}",
    "sql in quotes": f'"$1" \\\' || pg_sleep(9) || {MARK}',
    "header": f"x\r\nX-Injected: {MARK}\r\n\r\n",
    "log line": f'x\n{{"event":"{MARK}","level":"error"}}',
    "nul": f"x\x00{MARK}",
    "bidi": f"\u202e{MARK}\u2066",
    "escape": f"\x1b[2J\x1b]0;{MARK}\x07",
    "format": f"{{0.__class__}} %(x)s %s ${{jndi:ldap://{MARK}}}",
    "like": f"%_\\{MARK}%",
    "markup": f"<script>{MARK}</script>",
    "long": LONG,
}
_RAW_SURROGATE = '"\\ud800"'


def judged(answer: httpx.Response, where: str) -> None:
    """An answer that is one of ours: no fault of the daemon, no header of the caller's."""
    assert answer.status_code < 500, f"{where}: {answer.status_code} {answer.text[:300]}"
    assert "x-injected" not in answer.headers, where
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        problem_of(answer, answer.status_code)
        assert len(answer.content) < 20_000, f"{where}: the refusal repeats what was sent"


@pytest.mark.parametrize("poison", POISONS)
async def test_no_field_of_a_body_is_code(
    daemon: SharedDaemon, attacker: httpx.AsyncClient, operations: list[Operation], poison: str
):
    """What is taken is kept as it was sent; what is not is refused by name."""
    before = daemon.process.log.stat().st_size
    for one in operations:
        for path in strings_in(one.body):
            where = f"{one.name} {path}"
            sent = with_text(one.body, path, POISONS[poison])
            judged(await attacker.request(one.method, one.filled(), json=sent), where)

    await _log_is_whole(daemon, before)


# A NUL is refused before anything else is looked at.
_AT_ONCE = "".join(text for name, text in POISONS.items() if name not in {"nul", "long"})
AT_ONCE = pytest.mark.parametrize("text", [_AT_ONCE, POISONS["nul"]], ids=["all at once", "nul"])


@AT_ONCE
async def test_no_parameter_and_no_header_is_code(
    daemon: SharedDaemon, attacker: httpx.AsyncClient, operations: list[Operation], text: str
):
    """Headers as far as HTTP lets them be sent."""
    before = daemon.process.log.stat().st_size
    value = text.encode().translate(None, bytes(range(32)))
    for one in operations:
        for name in one.parameters:
            answer = await attacker.request(
                one.method, one.filled(), params={name: text}, json=one.body
            )
            judged(answer, f"{one.name} ?{name}")
        for name in one.headers:
            headers = {name.encode(): value}
            answer = await attacker.request(
                one.method, one.filled(), headers=headers, json=one.body
            )
            judged(answer, f"{one.name} {name}:")

    await _log_is_whole(daemon, before)


@AT_ONCE
async def test_no_id_in_a_path_is_code(
    daemon: SharedDaemon, attacker: httpx.AsyncClient, operations: list[Operation], text: str
):
    """The log shows the path, and nothing in it that a terminal would obey."""
    before = daemon.process.log.stat().st_size
    encoded = "".join(f"%{byte:02X}" for byte in text.encode())
    for one in operations:
        if "{" in one.path:
            answer = await attacker.request(one.method, one.filled(encoded), json=one.body)
            judged(answer, f"{one.name} {encoded}")

    for line in (await daemon.logged(before)).decode().splitlines():
        told = json.loads(line)
        assert told["event"] != MARK
        assert told.get("path", "").isascii()
        assert told.get("path", "").isprintable()


async def test_half_a_character_is_refused(
    attacker: httpx.AsyncClient, operations: list[Operation]
):
    """JSON can write one; UTF-8 cannot hold it."""
    for one in operations:
        for path in strings_in(one.body):
            sent = json.dumps(with_text(one.body, path, "HERE")).replace('"HERE"', _RAW_SURROGATE)
            answer = await attacker.request(one.method, one.filled(), content=sent)
            judged(answer, f"{one.name} {path}")
            assert answer.status_code >= 400, f"{one.name} {path}"


@pytest.mark.parametrize("poison", ["sql", "header", "log line", "bidi", "escape", "markup"])
async def test_content_comes_back_as_it_was_sent(attacker: httpx.AsyncClient, poison: str):
    """By itself, in a list, in its versions, and by a search for it."""
    text = POISONS[poison]
    made = await attacker.post("/api/content", json={"title": MARK, "body": text})
    path = f"/api/content/{made.json()['id']}"

    assert made.status_code == 201, made.text
    assert (await attacker.get(path)).json()["body"] == text
    version = (await attacker.get(f"{path}/versions/1")).json()
    assert version["content_snapshot"]["content_body"] == text
    found = await attacker.get("/api/content", params={"include": "body"})
    assert [item["body"] for item in found.json()["data"]] == [text]


async def test_no_url_that_leads_inside_is_taken(attacker: httpx.AsyncClient):
    """Neither for webhooks nor with a model's key."""
    for url in INSIDE_URLS:
        hook = await attacker.post("/api/webhooks", json={"url": url, "types": ["content.*"]})
        key = {"api_key": "sk-x", "base_url": url}
        model = await attacker.put("/api/credentials/openai", json=key)
        assert (hook.status_code, model.status_code) == (422, 422), url


@pytest.fixture(autouse=True)
async def nobody_else_notices(daemon: SharedDaemon, tenant: Tenant, stranger: httpx.AsyncClient):
    """Another tenant's content is there afterwards as it was before."""
    made = (await stranger.post("/api/content", json={"title": "Mine", "body": "kept"})).json()
    yield
    read = await stranger.get(f"/api/content/{made['id']}")
    assert (read.status_code, read.json()["body"]) == (200, "kept")


async def _log_is_whole(daemon: SharedDaemon, before: int) -> None:
    """Every line is one event of ours, and none shows what was sent."""
    logged = (await daemon.logged(before)).decode()
    for line in logged.splitlines():
        assert json.loads(line)["event"] != MARK
    assert MARK not in logged
    assert LONG[:1000] not in logged
