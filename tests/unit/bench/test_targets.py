"""The promises of speed: which are judged, and how."""

from datetime import UTC, datetime

from bench.load.order import LoadResult
from bench.machine import Machine
from bench.measure import Measurement
from bench.report import report
from bench.results import Results
from bench.targets import judge
from bench.usage import Cpu, Memory

MACHINE = Machine(
    cores=2,
    processor="any",
    memory_gb=8.0,
    system="Linux",
    python="CPython",
    file_system="ext4",
    flush_ms=0.1,
    busy_cores=0.0,
)
NO_CPU = Cpu(own_s=0.0, postgres_s=0.0, other_s=0.0)
MEMORY = Memory(own_mb=90.0, postgres_mb=60.0, other_mb=0.0)


def a_load(per_second: float, errors: dict[str, int]) -> LoadResult:
    """Say what a load saw."""
    return LoadResult(
        requests=100,
        seconds=1.0,
        per_second=per_second,
        p50_ms=1.0,
        p99_ms=2.0,
        max_ms=3.0,
        errors=errors,
        requests_with_warm_up=100,
        cpu_us_per_request=15.0,
        cpu_share=0.1,
    )


def measured(system: str, case: str, per_second: float, **extra) -> Measurement:
    """Say what one system did under one case."""
    return Measurement(
        system=system,
        case=case,
        connections=extra.get("connections", 64),
        load=a_load(per_second, extra.get("errors", {})),
        cpu=Cpu(own_s=extra.get("own_s", 0.0), postgres_s=0.0, other_s=0.0),
        cpu_after=extra.get("cpu_after", NO_CPU),
        settled_s=0.2,
        memory=MEMORY,
        foreign_cores=0.0,
    )


def results_of(*measurements: Measurement) -> Results:
    """Make a run of these measurements."""
    return Results(
        command="python -m bench",
        began_at=datetime(2026, 1, 25, tzinfo=UTC),
        took_s=1.0,
        machine=MACHINE,
        generator=[a_load(50_000, {})],
        measurements=list(measurements),
    )


def verdicts(*measurements: Measurement) -> dict[str, bool]:
    """Judge a run of these measurements."""
    return {found.promise: found.is_kept for found in judge(results_of(*measurements))}


def test_slower_than_the_ceiling_is_missed() -> None:
    """A create below one and a half times the ceiling's throughput is a missed promise."""
    found = verdicts(measured("engarde", "create", 149), measured("ceiling", "create", 100))

    assert found["create ≥ 1.5 x ceiling, 64 clients"] is False


def test_less_than_the_ceiling_is_enough_for_a_read() -> None:
    """A get may be slower than the ceiling's, but not by much."""
    found = verdicts(measured("engarde", "get", 70), measured("ceiling", "get", 100))

    assert found["get ≥ 0.7 x ceiling, 64 clients"] is True


def test_a_failed_request_is_missed() -> None:
    """No throughput makes up for a request that failed."""
    found = verdicts(measured("engarde", "get", 50, errors={"500": 1}))

    assert found["no request fails"] is False


def test_work_left_behind_is_paid_for() -> None:
    """The CPU time of a create includes its delivery after the load has ended."""
    later = Cpu(own_s=0.1, postgres_s=0.0, other_s=0.0)
    found = verdicts(measured("engarde", "create", 50, own_s=0.1, cpu_after=later))

    assert found["CPU of the daemon per create ≤ 1.7 ms, delivery included"] is False


def test_collapse_under_many_clients_is_missed() -> None:
    """Throughput with 256 clients is held against that with 16."""
    found = verdicts(
        measured("engarde", "get", 100, connections=16),
        measured("engarde", "get", 79, connections=256),
    )

    assert found["get with 256 clients ≥ 80% of 16 clients"] is False


def test_only_what_was_measured_is_judged() -> None:
    """A run without the daemon has nothing to judge."""
    assert verdicts(measured("ceiling", "create", 100)) == {}


def test_the_report_marks_a_missed_promise() -> None:
    """A reader sees the missed promise and the command that measured it."""
    text = report(results_of(measured("engarde", "get", 50, errors={"500": 1})))

    assert "| MISSED | no request fails" in text
    assert "`python -m bench`" in text
