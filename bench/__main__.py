"""`python -m bench`: measure, print, and keep the result.

`python -m bench S` measures one subject: transfer, search, listeners, outage, generation, dashboard,
media, migration.
"""

import sys
from pathlib import Path

import msgspec

from bench.options import parse_options
from bench.report import report
from bench.results import Results
from bench.run import Run
from bench.subjects import SUBJECTS, measure_subject

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Run the benchmark as the command line asks."""
    if sys.argv[1:2] and sys.argv[1] in SUBJECTS:
        sys.exit(0 if measure_subject(sys.argv[1:], _say) else 1)
    options = parse_options(sys.argv[1:])
    try:
        results = Run(options, _say).results()
    except KeyboardInterrupt:
        sys.exit(130)
    text = report(results)
    if options.prints_json:
        print(msgspec.json.format(msgspec.json.encode(results)).decode())
    else:
        print(text)
    if results.failure:
        sys.exit(1)
    if options.is_whole:
        _keep(results, text)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _keep(results: Results, text: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = f"{results.began_at:%Y-%m-%d-%H%M}-{results.machine.cores}-cores.json"
    (RESULTS / name).write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    (RESULTS / "latest.md").write_text(f"# Benchmark\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
