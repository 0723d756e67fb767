"""What `engarde doctor` says of a ZeroDB that is a server."""

import json
from collections.abc import Mapping
from functools import partial

import pytest
from anyio import to_thread

from engarde_daemon.testing.zerodb_cloud import ZeroDBCloud
from tests.support.commands import run_command


async def check(cloud: ZeroDBCloud, **settings: str) -> Mapping[str, str]:
    """The finding about ZeroDB, on settings that fit the service but for those given."""
    fitting = {
        "mode": "cloud",
        "base_url": cloud.base_url,
        "project_id": cloud.project_id,
        "api_key": cloud.api_key,
    }
    environ = {f"ENGARDE_ZERODB__{n.upper()}": v for n, v in {**fitting, **settings}.items()}
    done = await to_thread.run_sync(partial(run_command, "doctor", "--json", environ=environ))
    (finding,) = (each for each in json.loads(done.stdout)["checks"] if each["check"] == "ZeroDB")
    found: Mapping[str, str] = finding
    return found


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_a_closed_port_is_a_fault_that_names_the_setting():
    """And says what happens to bodies meanwhile."""
    async with ZeroDBCloud() as cloud:
        await cloud.close()
        finding = await check(cloud)

    assert finding["state"] == "fault"
    assert "base_url" in finding["detail"]
    assert "staged" in finding["advice"]


async def test_a_refused_key_is_a_fault_that_names_the_settings():
    """Without the key."""
    async with ZeroDBCloud() as cloud:
        finding = await check(cloud, api_key="sk_wrong")

    assert finding["state"] == "fault"
    assert "api_key, auth_scheme and project_id" in finding["detail"]
    assert "sk_wrong" not in json.dumps(finding)


async def test_a_service_without_collections_is_in_order_and_stays_as_it_is():
    """The daemon makes them; doctor changes nothing."""
    async with ZeroDBCloud() as cloud:
        finding = await check(cloud)

        assert cloud.tables == {}
    assert finding["state"] == "ok"
    assert "content_items" in finding["detail"]
