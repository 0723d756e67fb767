"""Jobs of BigQuery that take their time, and what it says of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from engarde_daemon.adapters.bigquery import loading
from engarde_daemon.adapters.bigquery.archive import BigQueryArchive, Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import JOB_STREAM, WritePace
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.archive import Appended
from tests.integration.bigquery.archives import Clock, some
from tests.integration.bigquery.rows import AROUND, frozen
from tests.support.told_bigquery import (
    PROJECT,
    ROOT,
    UPLOAD,
    Answering,
    Told,
    ToldBigQuery,
    job,
    refusal,
    told_bigquery,
)

HASTY_S = 0.3
LOOKS = 60
JOB = {"projectId": PROJECT, "jobId": "job", "location": "US"}
KEYS = ("tenant_id", "content_id", "version", "sha256", "snapshot_timestamp")


@asynccontextmanager
async def archive_at(
    api: ToldBigQuery, *, timeout_s: float = 10.0
) -> AsyncIterator[BigQueryArchive]:
    """An archive in that BigQuery, for which no time passes."""
    place = Place(project=PROJECT, dataset="d", endpoint=api.endpoint, anonymous=True)
    bounds = Bounds(timeout_s=timeout_s)
    async with opened(place, bounds=bounds, pace=WritePace(), clock=Clock()) as archive:
        yield archive


def query(looks: int, **told: Any) -> dict[str, Answering]:
    """A query that is done after it was looked at so often."""
    done = {"jobComplete": True, "totalRows": "0", "schema": {"fields": []}, **told}
    return {
        f"POST {ROOT}/jobs": lambda _: job("query", "RUNNING"),
        f"POST {ROOT}/queries": lambda _: Told(200, {"jobComplete": False, "jobReference": JOB}),
        f"GET {ROOT}/jobs/job": lambda n: job("query", "DONE" if n >= looks else "RUNNING"),
        f"GET {ROOT}/queries/job": lambda n: Told(
            200, done if n >= looks else {"jobComplete": False}
        ),
    }


async def test_an_erasure_may_take_longer_than_a_call():
    """It goes through the whole history; given up, it would begin anew for ever."""
    with told_bigquery(query(LOOKS, numDmlAffectedRows="2")) as api:
        async with archive_at(api, timeout_s=HASTY_S) as archive:
            assert await archive.forget_versions("t", ["a", "b"]) == 2

    assert api.asked[f"POST {ROOT}/jobs"] == 1


async def test_a_job_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch):
    """Every wait has an end."""
    monkeypatch.setattr("engarde_daemon.adapters.bigquery.queries.LOOKS_MAX", 2)
    with told_bigquery(query(1_000_000)) as api:
        async with archive_at(api, timeout_s=HASTY_S) as archive:
            with pytest.raises(Unavailable, match="has not ended forget_versions"):
                await archive.forget_versions("t", ["a"])


async def test_an_empty_page_is_not_the_end_of_a_walk():
    """Rows behind it would count as missing in the archive."""

    def row(name: str) -> dict[str, Any]:
        cells = ("t", name, "1", "hash", "1767225600000000")
        return {"f": [{"v": cell} for cell in cells]}

    types = ("STRING", "STRING", "INTEGER", "STRING", "TIMESTAMP")
    fields = [{"name": name, "type": type_} for name, type_ in zip(KEYS, types, strict=True)]
    whole = {"jobComplete": True, "totalRows": "2", "schema": {"fields": fields}}
    pages = [
        {**whole, "jobReference": JOB, "rows": [row("a")], "pageToken": "1"},
        {**whole, "rows": [], "pageToken": "2"},
        {**whole, "rows": [row("b")]},
    ]
    answers = query(0) | {
        f"POST {ROOT}/queries": lambda _: Told(200, pages[0]),
        f"GET {ROOT}/queries/job": lambda n: Told(200, pages[min(n, 2)]),
    }
    with told_bigquery(answers) as api:
        async with archive_at(api) as archive:
            found = [key.content_id async for page in archive.keys(AROUND) for key in page]

    assert found == ["a", "b"]


async def test_a_job_that_is_there_already_costs_nothing_of_the_days_jobs(
    monkeypatch: pytest.MonkeyPatch,
):
    """Or a batch of many jobs, begun anew, would never come to its end."""
    monkeypatch.setattr(loading, "RATION_JOBS", 1)
    answers: dict[str, Answering] = {
        f"POST {UPLOAD}/jobs": lambda _: refusal(409, "duplicate"),
        f"GET {ROOT}/jobs/engarde-s-0-a0": lambda _: job("load"),
    }
    with told_bigquery(answers) as api:
        async with archive_at(api) as archive:
            for _ in range(3):
                batch = frozen(f"{JOB_STREAM}content_snapshots/s", 0, *some("t", 1))
                assert await archive.append(batch) == Appended()
