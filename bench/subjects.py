"""The promises that are measured one at a time, each by a command of its own."""

import argparse
from collections.abc import Callable

from bench import (
    dashboard,
    generation,
    listeners,
    media,
    migration,
    outage,
    search,
    transfer,
)
from bench.machine import describe_machine
from bench.report import verdict_table
from bench.targets import Verdict

Say = Callable[[str], None]

SUBJECTS: dict[str, Callable[[int | None, Say], list[Verdict]]] = {
    "generation": generation.run,
    "transfer": transfer.run,
    "search": search.run,
    "listeners": listeners.run,
    "outage": outage.run,
    "dashboard": dashboard.run,
    "media": media.run,
    "migration": migration.run,
}


def measure_subject(arguments: list[str], say: Say) -> bool:
    """Measure one subject and print the verdicts; answers whether every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument(
        "--count", type=int, help="how many items, listeners, seconds or MB (as promised)"
    )
    given = parser.parse_args(arguments)
    machine = describe_machine()
    verdicts = SUBJECTS[given.subject](given.count, say)
    print(f"{machine.cores} cores, {machine.busy_cores} busy before the run.\n")
    print(verdict_table(verdicts))
    return all(verdict.is_kept for verdict in verdicts)
