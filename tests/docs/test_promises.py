"""The pages that promise something name tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("page", ["security.md", "reliability.md"])
def test_every_promise_names_a_test_that_there_is(page: str):
    """By its file and its name."""
    named = _NAMED.findall((ROOT / "docs" / page).read_text())

    assert len(named) >= 30
    assert [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"\bdef {name}\(", (ROOT / file).read_text())
    ] == []


def test_every_promise_in_the_table_has_a_test():
    """A row without one is only a wish."""
    page = (ROOT / "docs" / "security.md").read_text()
    promised = page.partition("\n## Promised\n")[2].partition("\n## Not promised\n")[0]
    rows = [line for line in promised.splitlines() if re.match(r"\| (?!promise |---)", line)]

    assert [row for row in rows if "`tests/" not in row and "ruff" not in row] == []
