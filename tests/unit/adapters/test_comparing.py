"""Versions are compared in the event loop or beside it, with the same result."""

import anyio
import anyio.lowlevel
import pytest

from engarde_daemon.adapters.comparing import SMALL_CHARACTERS, SMALL_LINES, ThreadedComparer
from engarde_daemon.domain import history
from engarde_daemon.domain.content import Change, ChangeType
from engarde_daemon.domain.history import Comparison, Snapshot

UPDATE = Change(type=ChangeType.UPDATE, by="someone", summary="title changed")


def state(body: str, **metadata: object) -> Snapshot:
    """A version's state."""
    return Snapshot(
        title="A title", content_body=body, content_type="post", status="draft", metadata=metadata
    )


STATES = {
    "small": state("a body"),
    "long": state("x" * (SMALL_CHARACTERS + 1)),
    "many lines": state("\n" * (SMALL_LINES + 1)),
    "much metadata": state("", metadata={"long": "x" * SMALL_CHARACTERS}),
}


@pytest.mark.parametrize("size", STATES)
async def test_the_result_is_that_of_the_comparison(size: str):
    """Wherever it was made."""
    before, after = state("another body"), STATES[size]
    comparer = ThreadedComparer()

    assert await comparer.diff(before, after) == history.diff(before, after)
    assert await comparer.compare(UPDATE, before, after) == history.compare(UPDATE, before, after)


@pytest.mark.parametrize("size", STATES)
async def test_what_takes_long_is_done_beside_the_event_loop(size: str):
    """Others go on meanwhile; a small one is done at once, without a detour."""
    order = []

    async def compare() -> None:
        await ThreadedComparer().diff(STATES[size], state("another body"))
        order.append("compared")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(compare)
        await anyio.lowlevel.checkpoint()
        order.append("went on")

    expected = ["compared", "went on"] if size == "small" else ["went on", "compared"]
    assert order == expected


async def test_the_first_version_is_compared_with_nothing():
    """However large it is."""
    created = Change(type=ChangeType.CREATE, by="someone", summary="created")

    compared = await ThreadedComparer().compare(created, None, STATES["long"])

    assert compared == Comparison("created", [])
