"""Each body store in turn, empty and prepared."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TypeAlias

import pytest

from engarde_daemon.ports.bodies import BodyStore
from tests.conformance.body_stores import STORES, Rig, cloud, embedded, local, memory
from tests.support.zerodb_local import zerodb_local

__all__ = ["zerodb_local"]

Opening: TypeAlias = Callable[[], AbstractAsyncContextManager[Rig]]


@pytest.fixture(params=STORES)
def opening(request: pytest.FixtureRequest, tmp_path) -> Opening:
    """How the store is opened; the real server is started for whoever needs it."""
    match request.param:
        case "local":
            return partial(local, request.getfixturevalue("zerodb_local"))
        case "embedded":
            return partial(embedded, tmp_path / "zerodb")
        case "cloud":
            return cloud
        case _:
            return memory


@pytest.fixture
async def rig(opening: Opening) -> AsyncIterator[Rig]:
    """A store with its back doors."""
    async with opening() as rig:
        yield rig


@pytest.fixture
def store(rig: Rig) -> BodyStore:
    """The store alone."""
    return rig.store
