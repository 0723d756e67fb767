"""A trace goes along with what is made while its request is served."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from actors.ingest.messages import CreateContent
from actors.ingest.planning import Known, Planner
from engarde_daemon.domain.changes import Write
from engarde_daemon.domain.tracing import PRESENT, present_trace
from tests.support.content import draft

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def traced() -> Iterator[None]:
    """A request that is traced is being served."""
    before = PRESENT.set(TRACE)
    yield
    PRESENT.reset(before)


def creation() -> CreateContent:
    """A message, as the edge makes one."""
    return CreateContent(tenant_id="t", brand_id="b", user_id="u", draft=draft("body"))


def planned(message: CreateContent) -> Write:
    """The write that a message asks for."""
    planner = Planner(lambda: datetime(2027, 3, 1, tzinfo=UTC), lambda: "id")
    write = planner.plan(message, Known({}, {}))
    assert isinstance(write, Write)
    return write


def test_outside_of_a_traced_request_there_is_none():
    """Nothing is carried where nobody traces."""
    assert present_trace() is None
    assert planned(creation()).trace is None


def test_a_write_carries_the_trace_of_its_request(traced: None):
    """By itself: nobody who makes a message has to think of it."""
    assert planned(creation()).trace == TRACE
