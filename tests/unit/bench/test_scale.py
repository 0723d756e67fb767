"""Curves of scale: what is kept, what is judged, and what is drawn from it again."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.curves import Curve, Point, Step, judge, keep, read_curves, redraw
from bench.filling import around
from bench.scale import tenfold
from bench.tenants import Tenant
from tests.unit.bench.test_targets import MACHINE


def a_step(at: int, p50_ms: float, *, failed: int = 0) -> Step:
    """Measure one load at one size."""
    point = Point(case="list", per_second=100.0, p50_ms=p50_ms, p99_ms=9.0, failed=failed)
    return Step(at=at, grown_s=1.0, disk_bytes=10**9, points=[point])


def a_curve(*steps: Step, along: str = "items") -> Curve:
    """Put steps together."""
    return Curve(
        along=along,
        command="python -m bench scale",
        began_at=datetime(2026, 1, 25, tzinfo=UTC),
        machine=MACHINE,
        connections=16,
        steps=list(steps),
    )


def test_a_large_table_may_cost_half_as_much_again() -> None:
    """The largest step is compared with 100,000 items, and not with an almost empty table."""
    kept = judge(a_curve(a_step(1_000, 1.0), a_step(100_000, 2.0), a_step(10_000_000, 3.0)))
    missed = judge(a_curve(a_step(100_000, 2.0), a_step(10_000_000, 3.1)))

    assert [verdict.is_kept for verdict in kept] == [True, True]
    assert [verdict.is_kept for verdict in missed] == [True, False]


def test_a_failed_request_is_missed() -> None:
    """A daemon that refuses is not fast."""
    assert [verdict.is_kept for verdict in judge(a_curve(a_step(1, 1.0, failed=1)))] == [False]


def test_a_curve_that_is_measured_anew_leaves_the_others(tmp_path: Path) -> None:
    """An hour's measurement is not lost to one of a minute."""
    items, tenants = a_curve(a_step(1_000, 1.0)), a_curve(a_step(1, 1.0), along="tenants")
    keep(items, tmp_path)
    keep(tenants, tmp_path)
    again = msgspec.structs.replace(tenants, steps=[a_step(1, 2.0)])
    keep(again, tmp_path)

    assert read_curves(tmp_path) == {"items": items, "tenants": again}


def test_table_and_picture_come_from_what_was_kept(tmp_path: Path) -> None:
    """They can be made again when they are gone."""
    keep(a_curve(a_step(1_000, 1.0), a_step(10_000, 2.0)), tmp_path)
    files = sorted(tmp_path.glob("scale.[ms]*"))
    before = [file.read_text() for file in files]
    for file in files:
        file.unlink()

    assert sorted(redraw(tmp_path)) == files
    assert [file.read_text() for file in files] == before
    assert "10,000 | list" in before[0]


def test_nothing_kept_is_nothing_drawn(tmp_path: Path) -> None:
    """A checkout without results stays as it is."""
    assert redraw(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_every_fifth_item_is_the_big_tenants() -> None:
    """And each of the others has as many as every other."""
    big, *others = (
        Tenant(tenant_id=name, brand_id=name, user_id="", api_key="") for name in "abcdefghi"
    )
    owners = around(big, others)

    assert [one.tenant_id for one in owners] == list("abcdeafghi")


def test_steps_are_tenfold() -> None:
    """The last one is not beyond what was asked for."""
    assert list(tenfold(1_000, 150_000)) == [1_000, 10_000, 100_000]
