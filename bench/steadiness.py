"""What a soak found out: kept as JSON, told as a table, drawn as a picture, judged."""

import statistics
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from bench.machine import Machine
from bench.plots import Line, Panel, drawing
from bench.report import table, verdict_table
from bench.targets import Verdict, at_most

NAME = "soak"
GROWTH_PERCENT = 5.0
DESCRIPTORS_MORE = 16
RATE_KEPT = 0.99
DRAINED_WITHIN_S = 60.0
_TENTHS = 10
_ROWS = 12


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look at the daemon, and what was answered since the look before."""

    at_s: float
    per_second: float
    p50_ms: float
    p99_ms: float
    own_mb: float
    postgres_mb: float
    descriptors: int
    backlog: int
    lag_s: float
    failures: int

    def told(self) -> str:
        """One line for whoever waits."""
        return (
            f"{self.at_s / 60:.0f} min: {self.per_second:.0f}/s, p99 {self.p99_ms:.0f} ms, "
            f"{self.own_mb:.0f} MB, {self.backlog} rows owed, {self.failures} failed"
        )


class Soak(msgspec.Struct, frozen=True, kw_only=True):
    """One soak."""

    command: str
    began_at: datetime
    machine: Machine
    rate_per_s: float
    warm_up_share: float
    samples: list[Sample] = []
    drained_after_s: float | None = None
    differences: int = -1
    faults: list[str] = []

    @property
    def warm_up_s(self) -> float:
        """When memory must have stopped growing."""
        return self.samples[-1].at_s * self.warm_up_share

    @property
    def steady(self) -> list[Sample]:
        """What was seen from then on."""
        return [one for one in self.samples if one.at_s >= self.warm_up_s]


def judge(soak: Soak) -> list[Verdict]:
    """Whether the daemon is at the end what it was at the beginning."""
    memory = _ends([one.own_mb for one in soak.steady])
    opened = _ends([float(one.descriptors) for one in soak.steady])
    growth = (memory[1] / memory[0] - 1) * 100
    rate = statistics.mean(one.per_second for one in soak.steady)
    drained_s = float("inf") if soak.drained_after_s is None else soak.drained_after_s
    return [
        Verdict(
            promise=f"memory grows by ≤ {GROWTH_PERCENT:.0f} % after warm-up",
            measured=f"{growth:+.1f} %; {memory[0]:.0f} then {memory[1]:.0f} MB",
            is_kept=growth <= GROWTH_PERCENT,
        ),
        Verdict(
            promise=f"open descriptors grow by ≤ {DESCRIPTORS_MORE}",
            measured=f"{opened[0]:.0f} then {opened[1]:.0f}",
            is_kept=opened[1] - opened[0] <= DESCRIPTORS_MORE,
        ),
        Verdict(
            promise=f"≥ {RATE_KEPT:.0%} of {soak.rate_per_s:.0f} requests a second are answered",
            measured=f"{rate:.1f}/s",
            is_kept=rate >= soak.rate_per_s * RATE_KEPT,
        ),
        at_most("requests that fail", soak.samples[-1].failures, 0, unit="requests"),
        at_most("nothing is owed any more", drained_s, DRAINED_WITHIN_S, unit="s after the end"),
        at_most("differences that verify finds", soak.differences, 0, unit="rows"),
        Verdict(
            promise="doctor finds no fault",
            measured=", ".join(soak.faults) or "none",
            is_kept=not soak.faults,
        ),
    ]


def _ends(figures: Sequence[float]) -> tuple[float, float]:
    """The medians of the first and of the last tenth."""
    some = max(1, len(figures) // _TENTHS)
    return statistics.median(figures[:some]), statistics.median(figures[-some:])


def keep(soak: Soak, folder: Path) -> None:
    """Keep a soak in the place of the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(soak))
    (folder / f"{NAME}.json").write_bytes(encoded + b"\n")
    redraw(folder)


def redraw(folder: Path) -> list[Path]:
    """Write table and picture from the JSON; answers which files those are."""
    kept = folder / f"{NAME}.json"
    if not kept.exists():
        return []
    soak = msgspec.json.decode(kept.read_bytes(), type=Soak)
    text, picture = folder / f"{NAME}.md", folder / f"{NAME}.svg"
    text.write_text(report(soak), encoding="utf-8")
    picture.write_text(_picture(soak), encoding="utf-8")
    return [text, picture]


_HEAD = (
    "minute", "req/s", "p50 ms", "p99 ms", "MB", "PostgreSQL MB", "descriptors", "rows owed",
    "oldest s", "failed",
)  # fmt: skip


def report(soak: Soak) -> str:
    """A soak as a person reads it."""
    shown = soak.samples[:: max(1, len(soak.samples) // _ROWS)]
    parts = [
        "# Soak",
        f"![memory, requests, latencies, backlog and descriptors over time]({NAME}.svg)",
        _origin(soak),
        table(_HEAD, [_row(one) for one in shown]),
        verdict_table(judge(soak)),
    ]
    return "\n\n".join(parts) + "\n"


def _row(one: Sample) -> tuple[str, ...]:
    return (
        f"{one.at_s / 60:.1f}",
        f"{one.per_second:,.0f}",
        f"{one.p50_ms:.1f}",
        f"{one.p99_ms:.1f}",
        f"{one.own_mb:.0f}",
        f"{one.postgres_mb:.0f}",
        str(one.descriptors),
        f"{one.backlog:,}",
        f"{one.lag_s:.1f}",
        str(one.failures),
    )


def _origin(soak: Soak) -> str:
    machine = soak.machine
    return (
        f"`{soak.command}`, {soak.began_at:%Y-%m-%d %H:%M} UTC; {machine.cores} cores "
        f"({machine.processor}), {machine.busy_cores} busy before the run, {machine.memory_gb} GB. "
        f"{soak.rate_per_s:.0f} requests a second were due; a wait counts from when one was due."
    )


def _picture(soak: Soak) -> str:
    minutes = soak.samples[-1].at_s / 60
    mix = "creates, changes, deletes, reads, lists and searches"
    notes = [
        f"{minutes:.0f} minutes of {mix}, {soak.rate_per_s:.0f} a second; grey is the warm-up.",
        f"{soak.machine.cores} cores that also carry PostgreSQL and the clients.",
    ]
    panels = [
        _panel(soak, "Memory of the daemon, MB", {"RSS": "own_mb"}),
        _panel(soak, "Latency, ms", {"p50": "p50_ms", "p99": "p99_ms"}),
        _panel(soak, "Answers per second", {"answers": "per_second"}),
        _panel(soak, "Rows owed to the stores", {"rows": "backlog"}),
        _panel(soak, "Age of the oldest of them, s", {"age": "lag_s"}),
        _panel(soak, "Open descriptors", {"open": "descriptors"}),
    ]
    return drawing("Engarde in the long run", notes, panels, columns=3)


def _panel(soak: Soak, title: str, figures: dict[str, str]) -> Panel:
    lines = [
        Line(
            name=name,
            color=color,
            points=[(one.at_s / 60, float(getattr(one, figure))) for one in soak.samples],
        )
        for color, (name, figure) in enumerate(figures.items())
    ]
    minutes = max(1, round(soak.samples[-1].at_s / 60))
    return Panel(
        title=title,
        x_label="minutes",
        x_ticks=[minutes * fifth / 5 for fifth in range(6)],
        lines=lines,
        has_marks=False,
        shaded_until=soak.warm_up_s / 60,
    )
