"""SIGHUP: a running daemon takes what it can take, and says what it cannot."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from engarde_daemon.domain.plans import GB
from tests.support.hosting import HostDaemon
from tests.support.issuer import AUDIENCE, ISSUER, claims_of
from tests.support.oracle import eventually
from tests.support.postgres import enterable_directory
from tests.support.running import Daemon, cleared_away_after

FREE = """
[plans.professional]
storage_gb = {storage_gb}
"""


@pytest.fixture(scope="module")
async def only_daemon(anyio_backend: str) -> AsyncIterator[HostDaemon]:
    """A daemon that reads the `engarde.toml` beside its data directory."""
    with enterable_directory(in_memory=True) as place:
        async with cleared_away_after(HostDaemon(place / "data")) as daemon:
            await daemon.start()
            yield daemon


@pytest.fixture
async def daemon(only_daemon: HostDaemon) -> HostDaemon:
    """One whose file is empty, visited by a tenant of one's own."""
    await only_daemon.receive_guest("professional")
    write(only_daemon, "")
    await reloaded(only_daemon, "settings reloaded")
    return only_daemon


def write(daemon: Daemon, text: str) -> None:
    """Put this into the daemon's file of settings."""
    (daemon.data_dir.parent / "engarde.toml").write_text(text)


async def reloaded(daemon: Daemon, event: str) -> dict[str, Any]:
    """Have the settings read again, and give the line in which the daemon speaks of it."""
    before = len(daemon.events())
    daemon.signal(signal.SIGHUP)
    found: list[dict[str, Any]] = []

    async def said() -> bool:
        found[:] = [line for line in daemon.events()[before:] if line["event"] == event]
        return bool(found)

    await eventually(said)
    return found[0]


async def test_a_plan_that_grew_lets_more_in_at_once(daemon: Daemon):
    """What the file says is what is refused, shown and counted, without a restart."""
    async with daemon.client() as http:
        pid = daemon.pid
        write(daemon, FREE.format(storage_gb="0.0000001"))
        line = await reloaded(daemon, "settings reloaded")
        assert line["changed"] == ["plans.professional.storage_gb"]
        assert await status_of_a_create(http) == 403

        write(daemon, FREE.format(storage_gb="3"))
        await reloaded(daemon, "settings reloaded")
        assert await status_of_a_create(http) == 201
        assert (await http.get("/api/content/quota")).json()["limits"]["storage_limit_gb"] == 3
        assert daemon.pid == pid


async def test_operators_see_the_limits_that_are_in_force(daemon: Daemon):
    """Who is nearest to a limit is reckoned by the plans that refuse, not by those of the start."""
    async with (
        daemon.client() as tenant,
        daemon.client(daemon.credentials.operator_key) as http,
    ):
        assert await status_of_a_create(tenant) == 201
        write(daemon, FREE.format(storage_gb="0.000001"))
        await reloaded(daemon, "settings reloaded")
        made = await tenant.post("/api/content", json={"title": "Near", "body": "the limit"})
        assert made.status_code == 201

        async def is_shown() -> bool:
            found = (await http.get("/api/admin/overview")).json()["tenants"]["fullest"]
            ours = daemon.credentials.tenant_id
            limits = [one["limit_bytes"] for one in found if one["tenant_id"] == ours]
            return limits == [round(0.000001 * GB)]

        await eventually(is_shown)


async def status_of_a_create(http: httpx.AsyncClient) -> int:
    """What a creation is answered with."""
    made = await http.post("/api/content", json={"title": "Room", "body": "x" * 1000})
    return made.status_code


async def test_rates_change_for_the_next_request(daemon: Daemon):
    """A limit that comes is kept; one that goes is forgotten."""
    async with daemon.client() as http:
        write(daemon, "[limits]\nrequests_per_min_principal = 2\n")
        await reloaded(daemon, "settings reloaded")
        codes = [(await http.get("/api/content/quota")).status_code for _ in range(3)]
        assert codes == [200, 200, 429]

        write(daemon, "")
        await reloaded(daemon, "settings reloaded")
        assert (await http.get("/api/content/quota")).status_code == 200


async def test_a_broken_file_changes_nothing_and_says_why(daemon: Daemon):
    """Not even the half of it that is right; the daemon goes on as it was."""
    write(daemon, "[limits]\nrequests_per_min_principal = 1\n[server]\nport = 'secret-word'\n")

    line = await reloaded(daemon, "settings not reloaded: everything stays as it was")

    assert line["level"] == "error"
    assert "server.port: must be a whole number from 1 to 65535" in line["problems"][0]
    assert "secret-word" not in str(line)
    async with daemon.client() as http:
        codes = {(await http.get("/api/content/quota")).status_code for _ in range(3)}
        assert codes == {200}


async def test_a_file_that_is_away_changes_nothing(daemon: Daemon):
    """Nobody chose the defaults that would take its place."""
    write(daemon, FREE.format(storage_gb="3"))
    await reloaded(daemon, "settings reloaded")
    (daemon.data_dir.parent / "engarde.toml").unlink()

    line = await reloaded(daemon, "settings not reloaded: everything stays as it was")

    assert line["problems"] == ["engarde.toml: cannot be read: No such file or directory"]


async def test_what_needs_a_restart_is_named_and_not_taken(daemon: Daemon):
    """Beside it, what can change does."""
    write(daemon, "[log]\nlevel = 'warning'\n[cache]\nbody_bytes = 2048\n")

    line = await reloaded(daemon, "settings wait for a restart")

    assert line["settings"] == ["cache.body_bytes"]
    async with daemon.client() as http:
        await http.get("/api/content/quota")
        before = len(daemon.events())
        await http.get("/api/content/quota")
    assert len(daemon.events()) == before, "requests are logged as information"


async def test_a_shared_secret_is_replaced(daemon: Daemon):
    """Tokens of the old one are refused from then on."""
    old, new = "o" * 32, "n" * 32
    known = "[auth]\njwt_secret = '{}'\nissuer = '{}'\naudience = '{}'\n"

    async def proves(secret: str) -> bool:
        credentials = daemon.credentials
        claims = claims_of(sub=credentials.user_id, tenant_id=credentials.tenant_id)
        key = OctKey.import_key(secret)
        token = jwt.encode({"alg": "HS256"}, claims, key, algorithms=["HS256"])
        async with httpx.AsyncClient(base_url=daemon.base_url, trust_env=False) as http:
            headers = {"Authorization": f"Bearer {token}"}
            answer = await http.get("/api/content/quota", headers=headers)
        assert answer.status_code in {200, 401, 403}, answer.text
        return answer.status_code != 401

    write(daemon, known.format(old, ISSUER, AUDIENCE))
    await reloaded(daemon, "settings reloaded")
    assert [await proves(old), await proves(new)] == [True, False]

    write(daemon, known.format(new, ISSUER, AUDIENCE))
    await reloaded(daemon, "settings reloaded")
    assert [await proves(old), await proves(new)] == [False, True]


async def test_a_log_that_was_moved_away_goes_on_in_a_new_file(data_dir: Path):
    """As those who rotate logs need it."""
    file = data_dir.parent / "engarde.log"
    environ = {"ENGARDE_LOG__FILE": str(file)}
    async with cleared_away_after(Daemon(data_dir, environ=environ)) as daemon:
        await daemon.start()
        file.rename(data_dir.parent / "engarde.log.1")
        daemon.signal(signal.SIGHUP)

        async def goes_on() -> bool:
            found = anyio.Path(file)
            return await found.exists() and "settings reloaded" in await found.read_text()

        await eventually(goes_on)
