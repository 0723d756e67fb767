"""A daemon as an operator runs it, a ZeroDB that can be harmed, and somebody who writes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
import pytest

from engarde_daemon.testing.zerodb_cloud import ZeroDBCloud
from tests.faults.conftest import place, used_data_dir
from tests.support.daemon import shared_daemon
from tests.support.database import postgres_server
from tests.support.oracle import eventually, superuser
from tests.support.running import ENGARDE, Daemon, cleared_away_after

__all__ = ["place", "postgres_server", "shared_daemon", "used_data_dir"]

ZERODB_TIMEOUT_S = 25
"""Longer than a write takes on the slowest machine, so that one which waited for it is noticed."""
OPEN_S = 1
QUICK = {
    # So small that every read goes to a store.
    "ENGARDE_CACHE__BODY_BYTES": "1024",
    "ENGARDE_HEALTH__PROBE_EVERY_S": "0.2",
    "ENGARDE_HEALTH__PROBE_TIMEOUT_S": "0.5",
    "ENGARDE_HEALTH__READ_PATIENCE_S": "1",
    "ENGARDE_HEALTH__OPEN_S": f"{OPEN_S}",
    "ENGARDE_HEALTH__OPEN_MAX_S": f"{OPEN_S}",
    "ENGARDE_SERVER__SHUTDOWN_GRACE_S": "2",
    "ENGARDE_HEALTH__FAILOVER_AFTER_S": "0.5",
    "ENGARDE_ZERODB__TIMEOUT_S": f"{ZERODB_TIMEOUT_S}",
    "ENGARDE_RECOVERY__LEASE_S": "2",
    "ENGARDE_RECOVERY__PAGE_VERSIONS": "10",
}


class Site:
    """The daemon, its ZeroDB, and what was acknowledged."""

    def __init__(self, daemon: Daemon, cloud: ZeroDBCloud) -> None:
        self.daemon, self.cloud = daemon, cloud
        self.written: dict[str, str] = {}
        self.slowest_s = 0.0

    async def write(self, count: int) -> list[str]:
        """Create items, and remember those that were acknowledged."""
        ids = []
        async with self.daemon.client() as http:
            for _ in range(count):
                body = f"Body {len(self.written)} " * 50
                began = anyio.current_time()
                made = await http.post("/api/content", json={"title": "T", "body": body})
                self.slowest_s = max(self.slowest_s, anyio.current_time() - began)
                assert made.status_code == 201, made.text
                self.written[made.json()["id"]] = body
                ids.append(made.json()["id"])
        return ids

    async def read(self, content_id: str) -> str:
        """Read an item, which must be as it was written, and give where it came from."""
        async with self.daemon.client() as http:
            answer = await http.get(f"/api/content/{content_id}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["body"] == self.written[content_id]
        return answer.headers["X-Served-From"]

    async def recovery(self) -> dict[str, Any]:
        """How the stores stand."""
        async with self.daemon.client(self.daemon.credentials.operator_key) as http:
            shown: dict[str, Any] = (await http.get("/api/admin/recovery")).json()
        return shown

    async def until(self, state: str) -> None:
        """Wait until ZeroDB is in a state."""

        async def is_so() -> bool:
            return bool((await self.recovery())["stores"]["zerodb"]["state"] == state)

        await eventually(is_so)

    async def until_carried(self) -> None:
        """Wait until every version has arrived everywhere."""
        async with superuser(self.daemon) as sql:

            async def is_so() -> bool:
                return not await sql.fetchval("select exists (select from engarde.outbox)")

            await eventually(is_so)

    async def command(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """The exit code of a command, and what it prints as JSON; nothing where it is refused."""
        done = await anyio.run_process(
            [ENGARDE, *arguments, "--data-dir", str(self.daemon.data_dir), "--json"],
            env=self.daemon.environ,
            cwd=self.daemon.data_dir.parent,
            check=False,
        )
        return done.returncode, msgspec.json.decode(done.stdout) if done.stdout else {}

    async def metrics(self) -> str:
        """What Prometheus scrapes."""
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"{self.daemon.base_url}/metrics")).text


@pytest.fixture
async def site(used_data_dir: Path, place: Path) -> AsyncIterator[Site]:
    """A daemon that serves, on a ZeroDB server of its own."""
    await anyio.run_process(["cp", "-a", str(used_data_dir), str(place / "data")])
    async with ZeroDBCloud() as cloud:
        environ = {
            **QUICK,
            "ENGARDE_ZERODB__MODE": "cloud",
            "ENGARDE_ZERODB__BASE_URL": cloud.base_url,
            "ENGARDE_ZERODB__PROJECT_ID": cloud.project_id,
            "ENGARDE_ZERODB__API_KEY": cloud.api_key,
            "ENGARDE_ZERODB_NEXT__MODE": "embedded",
        }
        async with cleared_away_after(Daemon(place / "data", environ=environ)) as daemon:
            await daemon.start()
            yield Site(daemon, cloud)
