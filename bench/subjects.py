"""The promises that are measured one at a time, each by a command of its own.

A subject's module is imported only when it is asked for: some need clients that take seconds to load.
"""

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from bench.contents import SUBJECTS
from bench.keeping import RESULTS
from bench.machine import describe_machine
from bench.report import verdict_table
from bench.targets import Verdict

Say = Callable[[str], None]


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
            print(file)
