"""A daemon that dies while it imports: each asset is content once, its picture is the right one."""

import hashlib
import json
import os
import random
from collections import Counter
from pathlib import Path

import anyio
import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.daemon import drift_in
from tests.support.importing import ended, files, items_of, job_of, new_space, picture_at, uploaded
from tests.support.postgres import fresh_database, postgres_server
from tests.support.running import Daemon, cleared_away_after

__all__ = ["postgres_server"]

LONG = "ENGARDE_FAULTS_LONG" in os.environ
ASSETS = 2000 if LONG else 60
PICTURES = ASSETS * 2 // 3
"""Some ads show the same picture."""
KILLS = 2
PATIENCE_S = 900.0 if LONG else 90.0


def row(number: int, url: str) -> str:
    """An ad with a picture."""
    path = f"/{number % PICTURES}.png"
    said = {"external_id": f"ad-{number}", "text": f"Text of {number}", "media_urls": [url + path]}
    return json.dumps(said) + "\n"


def sha256_of_picture(number: int) -> str:
    """The hash of the picture of an ad."""
    return hashlib.sha256(picture_at(f"/{number % PICTURES}.png")).hexdigest()


async def taken_in(http: httpx.AsyncClient, job_id: str) -> int:
    """How many assets are done."""
    job = await job_of(http, job_id)
    return int(job["imported"] + job["failed"])


async def kept_picture(http: httpx.AsyncClient, content_id: str) -> tuple[str, str]:
    """What an ad says, and the hash of what it shows."""
    content = (await http.get(f"/api/content/{content_id}")).json()
    (media,) = content["media"]
    data = (await http.get(media["url"])).content
    return content["body"], hashlib.sha256(data).hexdigest()


@pytest.mark.timeout(1800 if LONG else 300)
async def test_killed_among_assets_the_daemon_imports_each_once(
    place: Path, postgres_server: EmbeddedPostgres
):
    """Twice, at any moment; nothing is repeated or left out, and the books are right."""
    chance = random.Random(7)
    async with files() as (_, url), fresh_database(postgres_server) as name:
        environ = {
            "ENGARDE_POSTGRES__DSN": postgres_server.dsn(database=name),
            "ENGARDE_LIMITS__ALLOW_PRIVATE_ADDRESSES": "true",
            "ENGARDE_IMPORTS__LEASE_S": "3",
            "ENGARDE_IMPORTS__POLL_S": "0.2",
        }
        async with cleared_away_after(Daemon(place / "data", environ=environ)) as daemon:
            await daemon.start()
            async with daemon.client() as http:
                space_id = await new_space(http)
                export = "".join(row(n, url) for n in range(ASSETS))
                job_id = (await uploaded(http, space_id, export))["import_job_id"]
                for _ in range(KILLS):
                    wanted = await taken_in(http, job_id) + chance.randint(5, ASSETS // 4)
                    wanted = min(wanted, ASSETS)
                    with anyio.fail_after(PATIENCE_S):
                        while await taken_in(http, job_id) < wanted:
                            await anyio.sleep(0.02)
                    await daemon.kill()
                    await daemon.start()
                job = await ended(http, job_id, PATIENCE_S)
                items = await items_of(http, job_id)
                shown = [await kept_picture(http, one["content_id"]) for one in items]
                again = (await uploaded(http, space_id, export))["import_job_id"]
                repeated = await ended(http, again, PATIENCE_S)
            assert await drift_in(environ["ENGARDE_POSTGRES__DSN"]) == []

    assert (job["status"], job["imported"], job["failed"]) == ("completed", ASSETS, 0)
    assert Counter(one["state"] for one in items) == {"imported": ASSETS}
    assert len({one["content_id"] for one in items}) == ASSETS
    numbers = [int(one["external_id"].removeprefix("ad-")) for one in items]
    assert shown == [(f"Text of {n}", sha256_of_picture(n)) for n in numbers]
    assert repeated["unchanged"] == ASSETS
