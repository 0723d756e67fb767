"""What a person can ask of one run of the benchmark."""

import argparse

import msgspec

from bench.cases import CASES
from bench.contents import contents
from bench.systems import SYSTEMS, USUAL

_WHAT = """\
Without a subject: measure the running daemon beside two references, on this machine, in one run of
about six minutes: the seed's flow written naively, and the least that a server of the same API can
do. A whole run is kept in bench/results/latest.md, and beside it as JSON."""
_SUBJECTS = """\
With a subject, `python -m bench SUBJECT`, one promise is measured; each has options of its own, which
`python -m bench SUBJECT --help` tells. The exit code is 1 if a promise is missed. Give them a quiet
machine: every report says how busy it was."""
_EXTRA_CASES = ("start", "bulk", "big-brand")
_NOT_QUICK = ("create-spread", "bulk", "big-brand")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """One run: which cases, on which systems, how long."""

    seconds: float
    cases: list[str]
    systems: list[str]
    connections: list[int]
    prints_json: bool
    is_quick: bool
    command: str

    @property
    def warm_up_s(self) -> float:
        """How long a load runs before it is measured."""
        return min(1.0, max(0.3, self.seconds / 4))

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out, so that the run may stand as the latest one."""
        return set(self.systems) == set(USUAL) and set(self.cases) == {*CASES, *_EXTRA_CASES}


def parse_options(arguments: list[str]) -> Options:
    """Read the command line; ends the process with a message where it is wrong."""
    given = _parser().parse_args(arguments)
    quick = given.quick
    every_case = [name for name in (*CASES, *_EXTRA_CASES) if not (quick and name in _NOT_QUICK)]
    return Options(
        seconds=given.seconds or (0.7 if quick else 2.5),
        cases=given.cases or every_case,
        systems=given.systems or list(USUAL),
        connections=given.connections or ([16, 64] if quick else [16, 64, 256]),
        prints_json=given.json,
        is_quick=quick,
        command=" ".join(["python -m bench", *arguments]),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=_WHAT,
        epilog=f"{_SUBJECTS}\n\n{contents()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [*CASES, *_EXTRA_CASES]
    parser.add_argument("--seconds", type=float, help="measured time per load (2.5)")
    parser.add_argument("--cases", type=some_of(names), help=f"of {','.join(names)} (all)")
    parser.add_argument(
        "--systems",
        type=some_of(list(SYSTEMS)),
        help=f"of {','.join(SYSTEMS)} (all but grouped)",
    )
    parser.add_argument("--connections", type=_counts, help="clients at once (16,64,256)")
    parser.add_argument("--quick", action="store_true", help="0.7 s per load, at 16 and 64 only")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


class some_of:  # noqa: N801 - argparse shows the name in its messages
    """Splits a list at its commas, and refuses names that are not known."""

    def __init__(self, known: list[str]) -> None:
        self._known = known

    def __call__(self, text: str) -> list[str]:
        """The names, in the order in which they were given."""
        names = text.split(",")
        unknown = [name for name in names if name not in self._known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
        return names


def _counts(text: str) -> list[int]:
    counts = [int(part) for part in text.split(",")]
    if min(counts) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return counts
