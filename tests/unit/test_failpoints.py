"""Failpoints are declared once, passed once, and nothing unless a program of its own arms them."""

import subprocess
import sys
from pathlib import Path

import pytest

from engarde_daemon import failpoints
from engarde_daemon.failpoints import Failpoint, catalogue

ROOT = Path(__file__).parents[2]
PLACES = {name: value for name, value in vars(failpoints).items() if isinstance(value, Failpoint)}


def test_each_name_is_declared_once():
    """And each place says in a sentence what lies before and after it."""
    names = [point.name for point in catalogue()]

    assert len(set(names)) == len(names)
    assert list(PLACES.values()) == list(catalogue())
    assert [point.name for point in catalogue() if not point.between.endswith(".")] == []


def test_each_is_passed_in_one_place():
    """A second place would make it unclear where a case dies."""
    source = "".join(path.read_text() for path in (ROOT / "actors").rglob("*.py"))

    assert {name: source.count(f"await {name}.reached()") for name in PLACES} == dict.fromkeys(
        PLACES, 1
    )


async def test_nothing_happens_at_one():
    """Whoever passes goes on."""
    for point in catalogue():
        await point.reached()


@pytest.mark.parametrize("module", ["engarde_daemon.daemon", "engarde_daemon.cli.deferred"])
def test_nothing_released_arms_a_failpoint(module: str):
    """What the command loads leaves every place as it is, and does not load what could arm it."""
    program = (
        "import sys\n"
        f"import {module}\n"
        "from engarde_daemon import failpoints\n"
        "print({point.reached for point in failpoints.catalogue()} == {failpoints._go_on})\n"
        "print([name for name in sys.modules if 'faulty' in name])\n"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert said.stdout.decode().split() == ["True", "[]"]


def test_a_command_lists_them():
    """With what lies before and after each."""
    listing = [sys.executable, "-m", "engarde_daemon.testing.faulty", "points"]
    said = subprocess.run(listing, capture_output=True, check=True).stdout.decode()

    for point in catalogue():
        assert point.name in said
        assert point.between in said
