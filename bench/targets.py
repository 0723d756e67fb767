"""The speed the project promises, as rules over the results of a run.

A promise is judged only where the run measured what it speaks of; a run of some cases judges some
promises. All ratios are within one run, so they hold whatever the machine.
"""

from collections.abc import Iterator

import msgspec

from bench.results import Results

CLIENTS = 64
OF_CEILING = {"create": 1.5, "patch": 1.5, "get": 0.7, "list-bodies": 0.7}
OF_NAIVE = 10.0
OF_16_CLIENTS = 0.8
CPU_PER_CREATE_MS = 1.7
HOT_TENANT = 0.95  # "not slower", less what two runs of the same load differ by
BIG_BRAND = 3.0
P99_OF_P50 = 3.0
BULK_PER_S = 3_000.0
COLD_START_S, WARM_START_S, IDLE_MB = 6.0, 2.0, 120.0

_CASES = ("create", "get", "list", "list-bodies", "patch")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One promise, what was measured, and whether it was kept."""

    promise: str
    measured: str
    is_kept: bool


def at_least(promise: str, value: float, least: float, *, told: str) -> Verdict:
    """Judge a rate; `told` is what to show of it."""
    return Verdict(promise=f"{promise} ≥ {least:,.0f}", measured=told, is_kept=value >= least)


def at_most(promise: str, value: float, most: float, *, unit: str) -> Verdict:
    """Judge a figure that must stay small."""
    kept = value <= most
    return Verdict(
        promise=f"{promise} ≤ {most:,.0f} {unit}", measured=f"{value:,.1f} {unit}", is_kept=kept
    )


def judge(results: Results) -> list[Verdict]:
    """Judge every promise that the run has figures for."""
    return [
        *_against_ceiling(results),
        *_against_naive(results),
        *_under_more_clients(results),
        *_tail(results),
        *_cost_of_create(results),
        *_hot_tenant(results),
        *_bulk(results),
        *_big_brand(results),
        *_start(results),
        *_errors(results),
    ]


def _at_least(promise: str, ratio: float | None, least: float) -> Iterator[Verdict]:
    if ratio is not None:
        yield Verdict(promise=promise, measured=f"{ratio:.2f} x", is_kept=ratio >= least)


def _at_most(promise: str, value: float, most: float, *, unit: str) -> Verdict:
    return Verdict(promise=promise, measured=f"{value:.2f} {unit}", is_kept=value <= most)


def _against_ceiling(results: Results) -> Iterator[Verdict]:
    for case, least in OF_CEILING.items():
        ratio = results.ratio(case, CLIENTS, to="ceiling")
        yield from _at_least(f"{case} ≥ {least} x ceiling, {CLIENTS} clients", ratio, least)


def _against_naive(results: Results) -> Iterator[Verdict]:
    for case in _CASES:
        ratio = results.ratio(case, CLIENTS, to="naive")
        yield from _at_least(f"{case} ≥ {OF_NAIVE:.0f} x naive, {CLIENTS} clients", ratio, OF_NAIVE)


def _under_more_clients(results: Results) -> Iterator[Verdict]:
    for case in _CASES:
        few = results.find("engarde", case, 16)
        for clients in (64, 256):
            many = results.find("engarde", case, clients)
            if few and many and few.load.per_second:
                ratio = many.load.per_second / few.load.per_second
                promise = f"{case} with {clients} clients ≥ {OF_16_CLIENTS:.0%} of 16 clients"
                yield from _at_least(promise, ratio, OF_16_CLIENTS)


def _tail(results: Results) -> Iterator[Verdict]:
    for case in _CASES:
        found = results.find("engarde", case, CLIENTS)
        if found and found.load.p50_ms:
            times = found.load.p99_ms / found.load.p50_ms
            promise = f"{case}: p99 ≤ {P99_OF_P50:.0f} x p50, {CLIENTS} clients"
            yield _at_most(promise, times, P99_OF_P50, unit="x")


def _cost_of_create(results: Results) -> Iterator[Verdict]:
    create = results.find("engarde", "create", CLIENTS)
    if create:
        promise = f"CPU of the daemon per create ≤ {CPU_PER_CREATE_MS} ms, delivery included"
        yield _at_most(promise, create.own_cpu_ms, CPU_PER_CREATE_MS, unit="ms")


def _hot_tenant(results: Results) -> Iterator[Verdict]:
    hot = results.find("engarde", "create", CLIENTS)
    spread = results.find("engarde", "create-spread", CLIENTS)
    if hot and spread and spread.load.per_second:
        ratio = hot.load.per_second / spread.load.per_second
        promise = f"create on one tenant ≥ {HOT_TENANT} x on 64 tenants"
        yield from _at_least(promise, ratio, HOT_TENANT)


def _bulk(results: Results) -> Iterator[Verdict]:
    if results.bulk:
        told = f"{results.bulk.per_second:,.0f}/s"
        yield at_least(
            "items a second created in bulk, of 4 KB",
            results.bulk.per_second,
            BULK_PER_S,
            told=told,
        )


def _big_brand(results: Results) -> Iterator[Verdict]:
    for read in results.brand_reads:
        promise = f"{read.name} of 200,000 items ≤ {BIG_BRAND:.0f} x a small brand's"
        yield _at_most(promise, read.ratio, BIG_BRAND, unit="x")


def _start(results: Results) -> Iterator[Verdict]:
    for start in results.starts:
        if start.system == "engarde":
            yield _at_most(
                f"cold start ≤ {COLD_START_S:.0f} s", start.cold_s, COLD_START_S, unit="s"
            )
            yield _at_most(
                f"warm start ≤ {WARM_START_S:.0f} s", start.warm_s, WARM_START_S, unit="s"
            )
            yield _at_most(f"idle memory ≤ {IDLE_MB:.0f} MB", start.idle.own_mb, IDLE_MB, unit="MB")


def _errors(results: Results) -> Iterator[Verdict]:
    ours = [found for found in results.measurements if found.system == "engarde"]
    if ours:
        count = sum(sum(found.load.errors.values()) for found in ours)
        yield Verdict(promise="no request fails", measured=str(count), is_kept=count == 0)
