"""The log of a running daemon, over HTTP."""

import httpx

from tests.acceptance.content import problem_of

LOG = "/api/admin/log"


async def test_an_operator_reads_what_the_daemon_logged(operator: httpx.AsyncClient):
    """From its start on, and from a cursor what came since; requests are left to the file."""
    page = (await operator.get(LOG, params={"limit": 500})).json()
    assert "ready" in [line["event"] for line in page["data"]]

    again = (await operator.get(LOG, params={"after": page["cursor"]})).json()

    assert again["missed"] == 0
    assert again["data"] == []


async def test_lines_are_filtered_by_level_and_word(operator: httpx.AsyncClient):
    """The daemon does it, so that only what is looked for travels."""
    found = (await operator.get(LOG, params={"search": "ROOT/EDGE", "level": "info"})).json()

    assert {line["fields"]["actor"] for line in found["data"]} == {"root/edge"}


async def test_a_wrong_question_is_answered_with_its_faults(operator: httpx.AsyncClient):
    """All of them at once."""
    wrong = {"level": "loud", "limit": "0", "colour": "red"}
    problem = problem_of(await operator.get(LOG, params=wrong), 422)

    assert {fault["field"] for fault in problem["errors"]} == set(wrong)
