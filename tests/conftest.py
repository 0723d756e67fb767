"""What every test shares: the asyncio backend, on which the daemon runs."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests and fixtures on asyncio, the only loop asyncpg and uvicorn know."""
    return "asyncio"
