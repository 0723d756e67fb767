"""What every test shares: the asyncio backend, on which the daemon runs, and their order."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("patient", settings(deadline=None))
settings.load_profile("patient")

_HERE = Path(__file__).parent
_SLOW = [_HERE / name for name in ("faults", "acceptance")]
_SLOWEST = [
    _HERE / name
    for name in (
        "acceptance/openapi/test_schemathesis.py",
        "acceptance/recovery/test_disasters.py",
        "faults/test_crashes.py",
        "faults/test_failpoints.py",
        "faults/test_network.py",
        "faults/test_stopping.py",
        "faults/test_three_daemons.py",
        "faults/test_two_daemons.py",
    )
]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests and fixtures on asyncio, the only loop asyncpg and uvicorn know."""
    return "asyncio"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is alone with it at the end.

    First the files that take half a minute and more, then the folders of their kind, then all
    others; within each of these the order stays random.
    """
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    if item.path in _SLOWEST:
        return 0
    return 1 if any(folder in item.path.parents for folder in _SLOW) else 2
