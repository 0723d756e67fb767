"""`engarde.toml` is the reference of all settings, so it must not drift from the code."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from engarde_daemon.config import Settings, keys, load

REFERENCE = Path(__file__).parents[3] / "engarde.toml"


def test_the_reference_is_the_default_configuration():
    """Starting with the file as it is shipped is the same as starting without one."""
    assert load(REFERENCE, {}) == Settings()


@pytest.mark.parametrize("key", keys(), ids=".".join)
def test_every_setting_is_in_the_reference(key: tuple[str, ...]):
    """A setting that is missing from the file is a setting nobody knows of."""
    table = tomllib.loads(REFERENCE.read_text())
    for part in key:
        table = next(iter(table.values())) if part == "*" else table[part]

    assert table is not None


def test_every_setting_is_explained():
    """Each line that sets something, outside the plans, follows a comment of its own."""
    settings = REFERENCE.read_text().partition("# What each plan allows")[0].split("\n")

    bare = [
        line
        for above, line in pairwise(settings)
        if re.match(r"\w+ =", line) and not above.startswith("# ")
    ]

    assert bare == []
