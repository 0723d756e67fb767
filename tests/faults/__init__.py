"""What must hold after crashes, races and restarts, shown with real processes."""

import pytest

# A case that fails says what it compared, as a test does.
pytest.register_assert_rewrite("tests.faults.killing")
