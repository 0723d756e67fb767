"""The promises that are measured one at a time, each by a command of its own.

A subject's module is imported only when it is asked for: some need clients that take seconds to load.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bench.keeping import RESULTS
from bench.machine import describe_machine
from bench.report import verdict_table
from bench.targets import Verdict

Say = Callable[[str], None]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A subject: what it measures, how long that takes, and what `--count` counts, if anything.

    Its module has its name, unless another is given.
    """

    measures: str
    takes: str
    counts: str = ""
    module: str = ""


SUBJECTS = {
    "scale": Subject(
        measures="list, get, search and create while items, tenants or daemons become more",
        takes="2 h; 8 min with --items-max 100000",
    ),
    "soak": Subject(
        measures="memory, backlog, descriptors and p99 under a steady mixed load",
        takes="30 min, or --minutes",
    ),
    "transfer": Subject(
        measures="bulk creates, export and import of items of 4 KB",
        takes="4 min",
        counts="items (100,000)",
    ),
    "search": Subject(
        measures="full-text search among many tenants' items, beside a lookup by id",
        takes="7 min",
        counts="items (1,000,000)",
    ),
    "listeners": Subject(
        measures="a thousand who follow the events, some of whom never read",
        takes="1 min",
        counts="listeners (1,000)",
    ),
    "outage": Subject(
        measures="writes and lists while ZeroDB answers nothing, and the backlog afterwards",
        takes="2 min",
        counts="seconds of the outage (20)",
    ),
    "delivery": Subject(
        measures="the way of bodies into a real zerodb-local, beside what that takes in bulk",
        takes="2 min",
        module="zerodb",
    ),
    "replication": Subject(
        measures="the way of versions into a BigQuery emulator, beside Google's bare client",
        takes="2 min",
        counts="rows a round (10,000)",
        module="archive_bigquery",
    ),
    "carrying": Subject(
        measures="delivery and replication at once, while the API is asked",
        takes="3 min",
        counts="versions a round (2,000)",
    ),
    "generation": Subject(
        measures="a job of a thousand pieces, and who reads meanwhile",
        takes="1 min",
        counts="pieces (1,000)",
    ),
    "dashboard": Subject(
        measures="what a dashboard takes before ten thousand tenants, and how fast it answers",
        takes="1 min",
        counts="tenants (10,000)",
    ),
    "attached": Subject(
        measures="what a daemon loses while a dashboard is attached to it",
        takes="4 min",
        counts="pairs of rounds (8)",
    ),
}


def measure_subject(arguments: Sequence[str], say: Say) -> bool:
    """Measure one subject and print the verdicts; answers whether every promise was kept."""
    name, *rest = arguments
    subject, module = SUBJECTS[name], _module(name)
    parser = argparse.ArgumentParser(
        prog=f"python -m bench {name}",
        description=f"Measure {subject.measures}. Takes {subject.takes} on a quiet machine.",
    )
    if subject.counts:
        parser.add_argument("--count", type=int, help=subject.counts)
    else:
        module.add_options(parser)
    given = parser.parse_args(rest)
    given.command = " ".join(["python -m bench", *arguments])
    machine = describe_machine()
    verdicts: list[Verdict] = module.run(given.count if subject.counts else given, say)
    print(f"{machine.cores} cores, {machine.busy_cores} busy before the run.\n")
    print(verdict_table(verdicts))
    return all(verdict.is_kept for verdict in verdicts)


def _module(name: str) -> Any:
    return importlib.import_module(f"bench.{SUBJECTS[name].module or name}")


def redraw_all() -> None:
    """Write every table and picture anew from the JSON that was kept."""
    for name in ("curves", "steadiness"):
        for file in importlib.import_module(f"bench.{name}").redraw(RESULTS):
            print(file, file=sys.stdout)
