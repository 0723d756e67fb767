"""What every test shares: the asyncio backend, on which the daemon runs, and their order."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("patient", settings(deadline=None))
settings.load_profile("patient")

_SLOW = [Path(__file__).parent / name for name in ("faults", "acceptance")]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests and fixtures on asyncio, the only loop asyncpg and uvicorn know."""
    return "asyncio"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the folders whose files take long, so that no worker waits for one at the end.

    Within these and all others the order stays random.
    """
    items.sort(key=lambda item: not any(folder in item.path.parents for folder in _SLOW))
