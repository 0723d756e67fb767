"""A step that PostgreSQL does not take is set aside, and neither its neighbours nor an actor suffer."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors.scribe.actor import Scribe
from actors.scribe.messages import NoteStep
from engarde_daemon.adapters.postgres.batches import PostgresBatchBench
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.generation import Failure, Finding, Usage
from engarde_daemon.ports.generation import (
    Claim,
    JobKey,
    Step,
    Written,
    failed,
    given_back,
    received,
    stored,
)
from tests.integration.generation.works import Works
from tests.support.acting import acting, together
from tests.support.database import Tenant

USED = Usage(input_tokens=3, output_tokens=5)
NUL = "no\x00text"


def _answer(claim: Claim, text: str = "An answer.", cost: str = "0.5") -> Step:
    answer = Written(text=text, model="m")
    return received(claim, answer, usage=USED, cost_usd=Decimal(cost))


UNWRITABLE: dict[str, Callable[[Claim], Step]] = {
    "an answer that is no text": lambda claim: _answer(claim, NUL),
    "an answer of half a character": lambda claim: _answer(claim, "\ud800"),
    "a price beyond all money": lambda claim: _answer(claim, cost="1e30"),
    "a reason that is no text": lambda claim: failed(claim, Failure.REFUSED, NUL),
    "a wait without end": lambda claim: given_back(claim, wait_s=1e300, burn=True),
}


async def items_of(works: Works, key: JobKey) -> dict[int, Any]:
    """The items of a job by number."""
    rows = await works.sql.fetch(
        "select * from engarde.generation_items where job_id = $1", key.job_id
    )
    return {row["number"]: row for row in rows}


@pytest.mark.parametrize("spoil", UNWRITABLE.values(), ids=UNWRITABLE)
async def test_a_step_that_cannot_be_written_spoils_no_other(
    works: Works, tenant: Tenant, spoil: Callable[[Claim], Step]
):
    """Its item fails and says so, to its tenant and in the log; the others are as they should be."""
    key = await works.job(tenant, 4)
    one, two, three, four = await works.claim()
    with capture_logs() as lines:
        held = await works.bench.note([_answer(one), _answer(two), spoil(three), _answer(four)])

    assert set(held) == {0, 1, 3}
    items = await items_of(works, key)
    assert [items[n]["state"] for n in (1, 2, 3, 4)] == ["received"] * 2 + ["failed", "received"]
    assert "could not be written down" in items[3]["reason"]
    assert items[3]["failure"] == (spoil(three).failure or Failure.NOT_STORED)
    (line,) = lines
    assert (line["log_level"], line["job_id"], line["number"]) == ("error", key.job_id, 3)


async def test_what_a_lost_answer_cost_is_counted(works: Works, tenant: Tenant):
    """The provider was paid for it, and a job's bound on money holds."""
    key = await works.job(tenant, 2)
    first, second = await works.claim()
    await works.bench.note([_answer(first, NUL), _answer(second, cost="1e30")])

    job = await works.read(key)
    assert (job.spent_usd, job.unpriced_calls) == (Decimal("0.5"), 1)
    assert (await items_of(works, key))[1]["input_tokens"] == USED.input_tokens


async def test_content_that_is_there_stays_its_items(works: Works, tenant: Tenant):
    """Without what was found about it, if that is what cannot be written."""
    key = await works.job(tenant, 1)
    (claim,) = await works.claim()
    await works.bench.note([_answer(claim)])
    found = [Finding(rule="r", message=NUL)]
    await works.bench.note([stored(claim, content_id="c", size_bytes=1, findings=found)])

    item = (await items_of(works, key))[1]
    assert (item["state"], item["content_id"]) == ("stored", "c")


async def test_the_scribe_outlives_steps_that_cannot_be_written(works: Works, tenant: Tenant):
    """More of them than an actor may fail on in a row, alone and among others."""
    await works.job(tenant, 20)
    claims = await works.claim()
    async with acting(lambda: Scribe(works.bench)) as scribe:
        spoilt = [NoteStep(_answer(claim, NUL)) for claim in claims[:9]]
        told = await together(scribe, spoilt)
        for claim in claims[9:19]:
            told.append(await scribe.ask(NoteStep(_answer(claim, NUL)), timeout_s=20))
        last = await scribe.ask(NoteStep(_answer(claims[19])), timeout_s=20)

    assert [noted.is_held for noted in told] == [False] * 19
    assert last.is_held


async def test_answers_in_bulk_are_set_aside_one_by_one(
    works: Works, sessions: Sessions, tenant: Tenant
):
    """As those of single calls are."""
    key = await works.job(tenant, 3)
    claims = await works.claim()
    steps = [_answer(claims[0]), _answer(claims[1], NUL), _answer(claims[2])]
    await PostgresBatchBench(sessions.writers).note(steps)

    items = await items_of(works, key)
    assert [items[n]["state"] for n in (1, 2, 3)] == ["received", "failed", "received"]
