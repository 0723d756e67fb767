"""What unit tests share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _without_collector() -> Iterator[None]:
    """Keep the garbage collector out of a run.

    coverage 7.17 takes a lock that is not reentrant, and waits for itself for ever where the
    collector, while it is held, ends something in a file that is measured.
    """
    gc.disable()
    yield
    gc.enable()
