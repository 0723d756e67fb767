"""What the tests of the command line share."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A command configures the logging of its process, which here is the test run's."""
    yield
    structlog.reset_defaults()
