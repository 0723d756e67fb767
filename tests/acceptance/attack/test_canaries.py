"""No secret and no content shows in a log, in a refusal, or in a process's command line.

The secrets here are made for this test and looked for afterwards, as they are and in the forms in
which they travel, in everything that the daemon said while it was asked, told nonsense, and left
alone by its stores and by the models it called.
"""

import base64
import secrets
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.testing.models import FakeOpenAI, serving
from engarde_daemon.testing.zerodb_cloud import Fault, ZeroDBCloud
from tests.acceptance.access.conftest import running
from tests.acceptance.attack.conftest import LEFT_OUT
from tests.acceptance.attack.surface import Operation, operations_of, strings_in, with_text
from tests.support.daemon import SharedDaemon
from tests.support.oracle import eventually

FOR_EVER = 10**9
FAULTS = (
    Fault.HUGE_ERROR,
    Fault.FAILED_AFTER,
    Fault.INVALID_JSON,
    Fault.REPLY_LOST,
    Fault.CHANGED_BODY,
)


class Canaries(NamedTuple):
    """What must not be seen; each in the place where it is kept."""

    zerodb: str
    jwt: str
    model: str
    wrong_key: str
    body: str

    def seen_in(self, text: bytes) -> list[str]:
        """Which show, in whatever form."""
        return [name for name, one in self._asdict().items() if any(f in text for f in _forms(one))]


class Site(NamedTuple):
    """A daemon that holds the canaries."""

    daemon: SharedDaemon
    cloud: ZeroDBCloud
    canaries: Canaries
    operations: list[Operation]
    keys: dict[str, str]

    def log(self) -> bytes:
        """All it ever said."""
        return self.daemon.process.log.read_bytes()


def _forms(secret: str) -> list[bytes]:
    plain = secret.encode()
    return [plain, base64.b64encode(plain).rstrip(b"="), plain.hex().encode(), plain[6:-6]]


@pytest.fixture(scope="module")
async def site(postgres_server: EmbeddedPostgres) -> AsyncIterator[Site]:
    """A daemon whose settings and stores are full of canaries."""
    made = [f"canary-{name}-{secrets.token_hex(16)}" for name in Canaries._fields]
    canaries = Canaries(*made)
    async with ZeroDBCloud(api_key=canaries.zerodb) as cloud, serving(FakeOpenAI()) as openai:
        settings = {
            "ENGARDE_ZERODB__MODE": "cloud",
            "ENGARDE_ZERODB__BASE_URL": cloud.base_url,
            "ENGARDE_ZERODB__PROJECT_ID": cloud.project_id,
            "ENGARDE_ZERODB__API_KEY": cloud.api_key,
            "ENGARDE_ZERODB__TIMEOUT_S": "1",
            "ENGARDE_AUTH__JWT_SECRET": canaries.jwt,
            "ENGARDE_AUTH__ISSUER": "https://issuer.example",
            "ENGARDE_AUTH__AUDIENCE": "engarde",
            "ENGARDE_LOG__LEVEL": "debug",
            "ENGARDE_CACHE__BODY_BYTES": "1024",
            "ENGARDE_GENERATION__PROVIDERS__OPENAI__BASE_URL": f"{openai}/v1",
        }
        async with running(postgres_server, **settings) as daemon:
            tenant = daemon.new_tenant()
            keys = {role: daemon.new_key(tenant, role).api_key for role in ("admin", "viewer")}
            async with daemon.caller(None) as http:
                known = [one for one in await operations_of(http) if one.name not in LEFT_OUT]
            yield Site(daemon, cloud, canaries, known, keys)


async def test_no_secret_shows_whatever_fails(site: Site):
    """Neither in the log at its most talkative, nor in answers, nor in metrics."""
    said: list[bytes] = []
    async with site.daemon.caller(site.keys["admin"]) as http:
        await _give_a_models_key(site, http)
        for fault in (None, *FAULTS):
            site.cloud.faults.clear()
            if fault is not None:
                site.cloud.faults.add(fault, count=FOR_EVER)
            said += await _write_and_read(site, http)
        site.cloud.faults.clear()
        said += await _talk_nonsense(site, http)
    said += await _knock_with_wrong_keys(site)
    async with site.daemon.caller(None) as http:
        said.append((await http.get("/metrics")).content)

    shown = {name for one in said for name in site.canaries.seen_in(one)}
    assert shown <= {"body"}, "a refusal may quote to its caller what it sent, and nothing else"
    assert site.canaries.seen_in(site.log()) == []
    for key in site.keys.values():
        assert key.rpartition("_")[2].encode() not in site.log()


async def test_no_secret_stands_in_a_command_line(site: Site):
    """Where every user of the machine could read it."""
    for process in psutil.Process(site.daemon.process.pid).children(recursive=True):
        assert site.canaries.seen_in("\0".join(process.cmdline()).encode()) == []
    own = psutil.Process(site.daemon.process.pid).cmdline()
    assert site.canaries.seen_in("\0".join(own).encode()) == []


async def _give_a_models_key(site: Site, http: httpx.AsyncClient) -> None:
    """The provider does not know it, and its refusal may quote it."""
    given = await http.put("/api/credentials/openai", json={"api_key": site.canaries.model})
    assert site.canaries.seen_in(given.content) == []
    wish = {
        "job_type": "social_media_posts",
        "content_type": "post",
        "target_count": 1,
        "platforms": ["instagram"],
        "generation_params": {
            "model": "gpt-5-mini",
            "prompt_template": "About {topic}",
            "topics": ["x"],
        },
    }
    job = await http.post("/api/content/generate-batch", json=wish)
    assert job.status_code == 202, job.text

    async def was_refused() -> bool:
        listed = await http.get("/api/credentials")
        assert site.canaries.seen_in(listed.content) == []
        return bool(listed.json()["data"][0]["paused_reason"])

    await eventually(was_refused)


async def _write_and_read(site: Site, http: httpx.AsyncClient) -> list[bytes]:
    """A body comes back to its tenant; only what says no is looked at."""
    answers = []
    for _ in range(3):
        body = {"title": "T", "body": site.canaries.body}
        made = await http.post("/api/content", json=body)
        answers.append(made)
        answers.append(await http.get(f"/api/content/{made.json().get('id')}"))
    return [answer.content for answer in answers if not answer.is_success]


async def _talk_nonsense(site: Site, http: httpx.AsyncClient) -> list[bytes]:
    """Secrets where they do not belong are refused without being repeated."""
    answers = []
    for one in site.operations:
        for path in strings_in(one.body):
            sent = with_text(one.body, path, site.canaries.body + "\x00")
            answers.append(await http.request(one.method, one.filled(), json=sent))
        for name in one.parameters:
            wrong = {name: site.canaries.body + "\x00"}
            answers.append(await http.request(one.method, one.filled(), params=wrong))
    secret = site.canaries.model
    misfits: list[dict[str, Any]] = [{"api_key": [secret]}, {"apikey": secret}]
    answers += [await http.put("/api/credentials/openai", json=misfit) for misfit in misfits]
    return [answer.content for answer in answers if not answer.is_success]


async def _knock_with_wrong_keys(site: Site) -> list[bytes]:
    """In each place where a key may be, and in some where it may not."""
    key = f"eg_abcdefghijkl_{site.canaries.wrong_key}"
    places: list[dict[str, Any]] = [
        {"headers": {"X-API-Key": key}},
        {"headers": {"Authorization": f"Bearer {key}"}},
        {"headers": {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}},
        {"headers": {"Cookie": f"key={key}"}},
        {"params": {"api_key": key}},
    ]
    async with site.daemon.caller(None) as http:
        answers = [
            await http.request(one.method, one.filled(), **place)
            for one in site.operations
            if one.path.startswith("/api/")
            for place in places
        ]
    assert {answer.status_code for answer in answers} == {401}
    return [answer.content for answer in answers]
