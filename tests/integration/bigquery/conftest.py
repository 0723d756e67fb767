"""The emulator that the run shares, a dataset on it, and a tenant of one's own."""

import uuid
from collections.abc import AsyncIterator

import pytest

from engarde_daemon.adapters.bigquery.archive import BigQueryArchive
from engarde_daemon.adapters.bigquery.place import Place
from tests.integration.bigquery.archives import prepared
from tests.support.bigquery_emulator import BigQueryEmulator, bigquery_emulator

__all__ = ["bigquery_emulator"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the first test the time to install the emulator."""
    for item in items:
        if __package__ in item.nodeid.replace("/", "."):
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session", autouse=True)
async def one_loop(anyio_backend: str) -> AsyncIterator[None]:
    """The loop of all tests: gRPC knows one a process (grpcio 1.85), and may be late with an ended call."""
    del anyio_backend
    yield  # noqa: PT022 - who returns lets go of the loop


@pytest.fixture
def tenant() -> str:
    """A tenant of this test alone, which keeps tests apart that share a dataset."""
    return str(uuid.uuid4())


@pytest.fixture(scope="session")
def place(bigquery_emulator: BigQueryEmulator) -> Place:
    """The dataset that tests share which need no own."""
    return bigquery_emulator.place()


@pytest.fixture(scope="session")
async def archive(place: Place) -> AsyncIterator[BigQueryArchive]:
    """The archive in the shared dataset."""
    async with prepared(place) as archive:
        yield archive
