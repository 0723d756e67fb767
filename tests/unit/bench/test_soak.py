"""Verdicts of a soak: what counts as growth, and what a daemon must be at the end."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from bench.steadiness import Sample, Soak, judge, keep, redraw
from tests.unit.bench.test_targets import MACHINE

CALM = Sample(
    at_s=0.0,
    per_second=100.0,
    p50_ms=1.0,
    p99_ms=5.0,
    own_mb=100.0,
    postgres_mb=90.0,
    descriptors=40,
    backlog=3,
    lag_s=0.1,
    failures=0,
)


def a_soak(*memory_mb: float, **changes) -> Soak:
    """Soak with a look a minute, a third of which is warm-up."""
    samples = [
        msgspec.structs.replace(CALM, at_s=60.0 * (number + 1), own_mb=own_mb)
        for number, own_mb in enumerate(memory_mb)
    ]
    soak = Soak(
        command="python -m bench soak",
        began_at=datetime(2026, 1, 25, tzinfo=UTC),
        machine=MACHINE,
        rate_per_s=100.0,
        warm_up_share=0.33,
        samples=samples,
        drained_after_s=1.0,
        differences=0,
    )
    return msgspec.structs.replace(soak, **changes)


def missed(soak: Soak) -> list[str]:
    """Name the promises that were not kept."""
    return [verdict.promise for verdict in judge(soak) if not verdict.is_kept]


def test_a_warm_up_may_grow() -> None:
    """Caches fill in the first third."""
    assert missed(a_soak(50, 100, 101, 102, 103, 104)) == []


def test_growth_after_the_warm_up_is_missed() -> None:
    """Six percent are a leak, however slow."""
    found = missed(a_soak(50, 100, 101, 102, 104, 106))

    assert found == ["memory grows by ≤ 5 % after warm-up"]


@pytest.mark.parametrize(
    ("changes", "promise"),
    [
        ({"drained_after_s": None}, "nothing is owed any more"),
        ({"differences": 1}, "differences that verify finds"),
        ({"faults": ["clock"]}, "doctor finds no fault"),
        ({"rate_per_s": 102.0}, "≥ 99% of 102 requests a second"),
    ],
)
def test_what_is_wrong_in_the_end_is_missed(changes: dict[str, object], promise: str) -> None:
    """A daemon that was quick and flat must also be whole."""
    (found,) = missed(a_soak(100, 100, 100, **changes))

    assert found.startswith(promise)


def test_a_request_that_fails_is_missed() -> None:
    """One is too many."""
    soak = a_soak(100, 100, 100)
    last = msgspec.structs.replace(soak.samples[-1], failures=1, descriptors=90)
    found = missed(msgspec.structs.replace(soak, samples=[*soak.samples[:-1], last]))

    assert found == ["open descriptors grow by ≤ 16", "requests that fail ≤ 0 requests"]


def test_table_and_picture_come_from_what_was_kept(tmp_path: Path) -> None:
    """They can be made again."""
    keep(a_soak(100, 100, 100), tmp_path)
    text, picture = redraw(tmp_path)

    assert "| ok | memory grows" in text.read_text()
    assert picture.read_text().startswith("<svg")
