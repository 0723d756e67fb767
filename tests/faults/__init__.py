"""What kills daemons, and what must be so afterwards."""

import pytest

# A case that fails says what it compared, as a test does.
pytest.register_assert_rewrite("tests.faults.killing")
