"""`python -m bench`: measure, print, and keep the result."""

import sys
from pathlib import Path

import msgspec

from bench.options import parse_options
from bench.report import report
from bench.results import Results
from bench.run import Run

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Run the benchmark as the command line asks."""
    options = parse_options(sys.argv[1:])
    try:
        results = Run(options, lambda line: print(line, file=sys.stderr, flush=True)).results()
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


def _keep(results: Results, text: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    name = f"{results.began_at:%Y-%m-%d-%H%M}-{results.machine.cores}-cores.json"
    (RESULTS / name).write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    (RESULTS / "latest.md").write_text(f"# Benchmark\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
