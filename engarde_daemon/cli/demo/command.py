"""`engarde demo`, as it is typed."""

from pathlib import Path

import rich_click as click

from engarde_daemon.cli import deferred
from engarde_daemon.cli.options import examples


@click.command(epilog=examples("engarde demo", "engarde demo --fast --exit"))
@click.option(
    "--data-dir",
    metavar="DIR",
    default="./demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Keep everything here; it must be empty or not there yet.",
)
@click.option(
    "--port", metavar="PORT", type=int, default=8700, show_default=True,
    help="Let the daemon listen on this TCP port.",
)  # fmt: skip
@click.option("--fast", is_flag=True, help="Make no pauses for a reader.")
@click.option("--exit", "leave", is_flag=True, help="End with the play, and stop the daemon.")
def demo(data_dir: Path, port: int, *, fast: bool, leave: bool) -> None:
    """Watch a daemon lose its ZeroDB, and nothing else.

    It starts a real daemon on stores of its own, and beside it the strict stand-in of a ZeroDB
    service from `engarde_daemon.testing`. It fills a tenant through the API, generates content, stops
    the ZeroDB, goes on writing and reading, lets it come back, and has everything verified.
    """
    deferred.play_demo(data_dir, port, fast=fast, leave=leave)
