"""A daemon whose models are fakes on this machine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio
import httpx

from tests.support.patience import PATIENCE_S
from tests.support.running import Daemon, cleared_away_after

JOBS = "/api/content/generation-jobs"
MODEL = "gpt-5.4-mini"
ENDED = ("completed", "failed", "cancelled")

_NOTHING: Mapping[str, str] = MappingProxyType({})


def settings(openai_url: str, extra: Mapping[str, str] = _NOTHING) -> dict[str, str]:
    """The settings under which the fake is the provider `openai`."""
    return {
        "ENGARDE_GENERATION__PROVIDERS__OPENAI__BASE_URL": f"{openai_url}/v1",
        "ENGARDE_GENERATION__LEASE_S": "2",
        "ENGARDE_GENERATION__POLL_S": "0.2",
        **extra,
    }


@asynccontextmanager
async def generating(data_dir: Path, environ: Mapping[str, str]) -> AsyncIterator[Daemon]:
    """A daemon that has a key for the fake."""
    async with cleared_away_after(Daemon(data_dir, environ=environ)) as daemon:
        await daemon.start()
        async with daemon.client() as http:
            await give_key(http)
        yield daemon


async def give_key(
    http: httpx.AsyncClient, api_key: str = "sk-test", *, provider: str = "openai"
) -> None:
    """Let the tenant have this key."""
    put = await http.put(f"/api/credentials/{provider}", json={"api_key": api_key})
    assert put.status_code == 200, put.text


async def start(http: httpx.AsyncClient, count: int, **other: Any) -> str:
    """The id of a job that was accepted; it takes what the model writes as it is."""
    params = {"model": MODEL, "prompt_template": "Write {number}", **other.pop("params", {})}
    answer = await http.post(
        "/api/content/generate-batch",
        json={
            "target_count": count,
            "generation_params": params,
            "brand_adherence": {"level": "RELAXED"},
            **other,
        },
    )
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    return job_id


async def job_of(http: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """A job as it stands."""
    job: dict[str, Any] = (await http.get(f"{JOBS}/{job_id}")).json()
    return job


async def ended(
    http: httpx.AsyncClient, job_id: str, within_s: float = PATIENCE_S
) -> dict[str, Any]:
    """A job, once its end is complete."""
    with anyio.fail_after(within_s):
        while True:
            job = await job_of(http, job_id)
            if job["status"] in ENDED and job["completed_at"]:
                return job
            await anyio.sleep(0.1)


async def items_of(http: httpx.AsyncClient, job_id: str) -> list[dict[str, Any]]:
    """All items of a job."""
    items: list[dict[str, Any]] = []
    params: dict[str, Any] | None = {"pageSize": 100}
    while params is not None:
        page = (await http.get(f"{JOBS}/{job_id}/items", params=params)).json()
        items += page["data"]
        onward = page["pagination"]["nextCursor"]
        params = {"pageSize": 100, "cursor": onward} if onward else None
    return items
