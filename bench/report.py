"""The results as a person reads them: aligned markdown, the same on the terminal and in a file."""

from collections.abc import Iterator, Sequence

from bench.cases import CASES
from bench.measure import Measurement
from bench.results import Results
from bench.systems import SYSTEMS
from bench.targets import Verdict, judge

_HEAD = (
    "case", "clients", "system", "req/s", "p50 ms", "p99 ms", "CPU ms/req", "of it after",
    "PostgreSQL CPU", "MB", "PostgreSQL MB", "others", "x naive", "x ceiling",
)  # fmt: skip
SHARED_CORES = 0.25
_NOTES = """\
CPU is of the serving process, per request, and includes the work that a load leaves behind
(delivery), which is waited for: "of it after" is that part. MB is resident memory of the serving
process at the end of the load. "others" is how many cores processes outside the run took: figures
beside more than a tenth are of a shared machine. Latencies are of a closed loop, that is, under
saturation."""


def report(results: Results) -> str:
    """Write the whole report."""
    parts = [_origin(results)]
    if results.failure:
        parts.append(f"**The run ended early:** {results.failure}")
    if any(found.foreign_cores > SHARED_CORES for found in results.measurements):
        parts.append("**The machine was shared: do not trust what is judged below.**")
    if results.measurements:
        parts += [table(_HEAD, list(_lines(results))), _NOTES]
    if results.starts:
        parts.append(table(("system", "cold start s", "warm start s", "idle MB"), _starts(results)))
    if results.bulk:
        parts.append(f"Bulk creates of 4 KB: {results.bulk.told()}.")
    if results.brand_reads:
        parts.append(table(("read", "small brand ms", "big brand ms"), _brand_reads(results)))
    verdicts = judge(results)
    if verdicts:
        parts.append(verdict_table(verdicts))
    return "\n\n".join(parts) + "\n"


def verdict_table(verdicts: Sequence[Verdict]) -> str:
    """Each promise, what was measured, and whether it was kept."""
    rows = [(_mark(kept=v.is_kept), v.promise, v.measured) for v in verdicts]
    return table(("", "promise", "measured"), rows)


def _origin(results: Results) -> str:
    machine, generator = results.machine, results.generator[0]
    return (
        f"`{results.command}`, {results.began_at:%Y-%m-%d %H:%M} UTC, {results.took_s:.0f} s.\n"
        f"{machine.cores} cores ({machine.processor}), {machine.memory_gb} GB, {machine.system}, "
        f"{machine.python}; {machine.file_system}, {machine.flush_ms} ms per flush; "
        f"{machine.busy_cores} cores busy before the run.\n"
        f"The load generator reaches {generator.per_second:,.0f} req/s against an empty responder, "
        f"and costs {generator.cpu_us_per_request:.0f} µs per request."
    )


def _lines(results: Results) -> Iterator[tuple[str, ...]]:
    for found in sorted(results.measurements, key=_place):
        is_ours = found.system == "engarde"
        ratios = [
            _ratio(results.ratio(found.case, found.connections, to=other)) if is_ours else ""
            for other in ("naive", "ceiling")
        ]
        yield (CASES[found.case], str(found.connections), found.system, *_figures(found), *ratios)


def _place(found: Measurement) -> tuple[int, int, int]:
    """Cases as they are declared, then few clients before many, then the daemon first."""
    return list(CASES).index(found.case), found.connections, list(SYSTEMS).index(found.system)


def _figures(found: Measurement) -> list[str]:
    return [
        f"{found.load.per_second:,.0f}{_failures(found)}",
        f"{found.load.p50_ms:.1f}",
        f"{found.load.p99_ms:.1f}",
        f"{found.own_cpu_ms:.2f}",
        f"{found.own_cpu_after_ms:.2f}",
        f"{found.postgres_cpu_ms:.2f}",
        f"{found.memory.own_mb:.0f}",
        f"{found.memory.postgres_mb:.0f}",
        f"{found.foreign_cores:.1f}",
    ]


def _failures(found: Measurement) -> str:
    failures = ", ".join(f"{count} x {what}" for what, count in found.load.errors.items())
    return f" ({failures})" if failures else ""


def _starts(results: Results) -> list[tuple[str, ...]]:
    return [
        (start.system, f"{start.cold_s:.2f}", f"{start.warm_s:.2f}", f"{start.idle.own_mb:.0f}")
        for start in results.starts
    ]


def _brand_reads(results: Results) -> list[tuple[str, ...]]:
    return [
        (read.name, f"{read.small_ms:.2f}", f"{read.big_ms:.2f}") for read in results.brand_reads
    ]


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _mark(*, kept: bool) -> str:
    return "ok" if kept else "MISSED"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned markdown."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    lines = [_line(row, widths) for row in [head, rule, *rows]]
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (_pad(cell, width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def _pad(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
