"""Every session that the docs show is run, and answers what is shown."""

import os
from pathlib import Path

import pytest

from tests.support.daemon import SharedDaemon
from tests.support.sessions import Step, answers, missing_from, steps_of

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [
    "first-steps.md",
    "content.md",
    "search.md",
    "versions.md",
    "access.md",
    "events.md",
    "generation.md",
    "analytics.md",
    "import.md",
]


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_shows_what_the_daemon_answers(daemon: SharedDaemon, page: str):
    """By a tenant of its own, as its administrator."""
    steps = steps_of((DOCS / page).read_text().replace("http://127.0.0.1:8700", "$URL"))
    tenant = daemon.new_tenant()
    environ = {
        **os.environ,
        "URL": daemon.process.base_url,
        "KEY": daemon.new_key(tenant, "admin").api_key,
        "BRAND": tenant.brand_id,
    }

    assert steps
    told = await answers(steps, environ=environ, cwd=daemon.process.data_dir.parent)
    for step, answer in zip(steps, told, strict=True):
        assert missing_from(answer, step.shown) is None, step.command


def test_a_session_is_taken_apart():
    """Commands go on after a backslash and within quotes; blank lines part steps."""
    page = "```console\n$ one \\\n  more\nan answer\n\n$ two '{\n}'\n$ three\n[1,\n 2]\n```\n"

    assert steps_of(page) == [
        Step("one \\\n  more", "an answer"),
        Step("two '{\n}'", ""),
        Step("three", "[1,\n 2]"),
    ]


@pytest.mark.parametrize(
    ("answer", "shown", "fits"),
    [
        ('{"a":1,"b":2}', '{"a": 1,\n "b": 2}', True),
        ('{"a":1,"b":2}', '{"a": 1, …}', True),
        ('{"a":1,"b":2}', '{"a": 2, …}', False),
        ('{"a":1,"b":2}', '{"b": 2, "a": 1}', False),
        ("HTTP/1.1 200 OK\r\nx: y\r\n\r\n{}", "HTTP/1.1 200 OK\n\n{}", True),
        ("HTTP/1.1 200 OK\r\n\r\n{}", "HTTP/1.1 201 Created\n\n{}", False),
        (
            "at 2026-11-22T20:51:07.437011Z",
            "at 2020-01-01T00:00:00.000000Z",
            True,
        ),
    ],
)
def test_answers_are_compared_by_what_lasts(answer: str, shown: str, *, fits: bool):
    """A page that shows something else is found out."""
    assert (missing_from(answer, shown) is None) == fits
