"""What a run of `scale` found out: kept as JSON, told as a table, drawn as a picture.

The JSON is the truth; table and picture are made from it, and can be made again at any time. A
curve that is measured anew replaces its predecessor and leaves the others as they are.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from bench.machine import Machine
from bench.plots import Line, Panel, drawing
from bench.report import table, verdict_table
from bench.targets import Verdict

NAME = "scale"
TITLE = "Engarde at scale"
CASES = {
    "get": "get",
    "list": "list",
    "search": "search",
    "search-common": "common word",
    "create": "create",
}
ALONG = {
    "items": "items in the table",
    "tenants": "tenants at once",
    "daemons": "daemons on one PostgreSQL",
}
BASE_ITEMS = 100_000
TIMES_BASE = 1.5
_GB = 1e9


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One load at one step."""

    case: str
    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int = 0


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one size; how long it took to grow to it, and what that takes on disk."""

    at: int
    grown_s: float
    disk_bytes: int
    points: list[Point]

    def find(self, case: str) -> Point | None:
        """The load of that name, if it was measured."""
        return next((point for point in self.points if point.case == case), None)


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Loads along one kind of growth."""

    along: str
    command: str
    began_at: datetime
    machine: Machine
    connections: int
    steps: list[Step] = []


def read_curves(folder: Path) -> dict[str, Curve]:
    """What was kept so far."""
    file = folder / f"{NAME}.json"
    if not file.exists():
        return {}
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Curve])


def keep(curve: Curve, folder: Path) -> None:
    """Keep a curve, whole or not yet, and draw everything anew."""
    kept = read_curves(folder) | {curve.along: curve}
    folder.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(kept))
    (folder / f"{NAME}.json").write_bytes(encoded + b"\n")
    redraw(folder)


def redraw(folder: Path) -> list[Path]:
    """Write table and picture from the JSON; answers which files those are."""
    kept = read_curves(folder)
    curves = [kept[along] for along in ALONG if along in kept]
    if not curves:
        return []
    text, picture = folder / f"{NAME}.md", folder / f"{NAME}.svg"
    text.write_text(report(curves), encoding="utf-8")
    picture.write_text(_picture(curves), encoding="utf-8")
    return [text, picture]


def judge(curve: Curve) -> list[Verdict]:
    """Whether a table that is a hundred times larger costs more than it may."""
    base = next((step for step in curve.steps if step.at == BASE_ITEMS), None)
    failed = sum(point.failed for step in curve.steps for point in step.points)
    verdicts = [
        Verdict(
            promise=f"{curve.along}: no request fails", measured=str(failed), is_kept=failed == 0
        )
    ]
    if curve.along == "items" and base and curve.steps[-1].at > base.at:
        verdicts += _compared(base, curve.steps[-1])
    return verdicts


def _compared(base: Step, last: Step) -> Iterator[Verdict]:
    for point in last.points:
        before = base.find(point.case)
        if before and before.p50_ms:
            times = point.p50_ms / before.p50_ms
            yield Verdict(
                promise=f"{CASES[point.case]}: p50 with {last.at:,} items ≤ {TIMES_BASE} x of "
                f"{base.at:,}",
                measured=f"{times:.2f} x; {before.p50_ms:.1f} then {point.p50_ms:.1f} ms",
                is_kept=times <= TIMES_BASE and not point.failed,
            )


def report(curves: list[Curve]) -> str:
    """All curves as a person reads them."""
    parts = ["# Scale", f"![req/s and latencies along items, tenants and daemons]({NAME}.svg)"]
    for curve in curves:
        parts += [
            f"## {ALONG[curve.along].capitalize()}",
            _origin(curve),
            table(_HEAD, [row for step in curve.steps for row in _rows(step)]),
            verdict_table(judge(curve)),
        ]
    return "\n\n".join(parts) + "\n"


_HEAD = ("at", "case", "req/s", "p50 ms", "p99 ms", "failed", "grown in s", "database GB")


def _rows(step: Step) -> Iterator[tuple[str, ...]]:
    for number, point in enumerate(step.points):
        is_first = number == 0
        yield (
            f"{step.at:,}" if is_first else "",
            CASES[point.case],
            f"{point.per_second:,.0f}",
            f"{point.p50_ms:.1f}",
            f"{point.p99_ms:.1f}",
            str(point.failed),
            f"{step.grown_s:,.0f}" if is_first else "",
            f"{step.disk_bytes / _GB:.2f}" if is_first else "",
        )


def _origin(curve: Curve) -> str:
    machine = curve.machine
    return (
        f"`{curve.command}`, {curve.began_at:%Y-%m-%d %H:%M} UTC; {machine.cores} cores "
        f"({machine.processor}), {machine.busy_cores} busy before the run, {machine.memory_gb} GB, "
        f"{machine.file_system}; {curve.connections} clients at once."
    )


def _picture(curves: list[Curve]) -> str:
    machine = curves[-1].machine
    shared = f"{machine.cores} cores carry the daemon, PostgreSQL and the clients"
    notes = [
        f"{shared}; {curves[-1].connections} clients ask without pause.",
        "Above: answers per second. Below: how long one takes, p50, and dotted p99.",
    ]
    panels = [_rates(curve) for curve in curves] + [_latencies(curve) for curve in curves]
    return drawing(TITLE, notes, panels, columns=len(curves))


def _rates(curve: Curve) -> Panel:
    lines = [_line(curve, case, "per_second") for case in _cases_of(curve)]
    return _panel(curve, f"Requests per second, {curve.along}", lines)


def _latencies(curve: Curve) -> Panel:
    cases = _cases_of(curve)
    lines = [_line(curve, case, "p99_ms", is_thin=True) for case in cases]
    lines += [_line(curve, case, "p50_ms") for case in cases]
    return _panel(curve, f"Milliseconds, {curve.along}", lines)


def _panel(curve: Curve, title: str, lines: list[Line]) -> Panel:
    return Panel(
        title=title,
        x_label=ALONG[curve.along],
        lines=lines,
        x_is_log=curve.along != "daemons",
        y_is_log=True,
        x_ticks=[float(step.at) for step in curve.steps],
    )


def _line(curve: Curve, case: str, figure: str, *, is_thin: bool = False) -> Line:
    found = [(step.at, step.find(case)) for step in curve.steps]
    points = [(float(at), float(getattr(point, figure))) for at, point in found if point]
    return Line(name=CASES[case], color=list(CASES).index(case), points=points, is_thin=is_thin)


def _cases_of(curve: Curve) -> list[str]:
    measured = {point.case for step in curve.steps for point in step.points}
    return [case for case in CASES if case in measured]
