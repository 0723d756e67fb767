"""`python -m engarde_daemon.testing.faulty`: run a daemon that can be harmed, or list how.

    python -m engarde_daemon.testing.faulty points
    python -m engarde_daemon.testing.faulty mutants
    python -m engarde_daemon.testing.faulty run --fuses DIR [--mutant NAME] -- --data-dir D

What follows `--` goes to `engarde run`.
"""

from pathlib import Path

import rich_click as click

from engarde_daemon.cli.commands import engarde
from engarde_daemon.failpoints import catalogue
from engarde_daemon.testing.faulty.fuses import FuseBox
from engarde_daemon.testing.faulty.mutants import MUTANTS


@click.group()
def faulty() -> None:
    """A daemon for tests that harm it."""


@faulty.command()
def points() -> None:
    """List the failpoints, and what lies before and after each."""
    for point in catalogue():
        click.echo(f"{point.name:<30} {point.between}")


@faulty.command()
def mutants() -> None:
    """List the mistakes that can be planted."""
    for name, plant in MUTANTS.items():
        click.echo(f"{name:<30} {plant.__doc__}")


@faulty.command()
@click.option("--fuses", metavar="DIR", required=True, type=click.Path(path_type=Path))
@click.option("--mutant", type=click.Choice(list(MUTANTS)))
@click.argument("arguments", nargs=-1)
def run(fuses: Path, mutant: str | None, arguments: tuple[str, ...]) -> None:
    """Run the daemon with fuses that lie in DIR, or as a mutant."""
    FuseBox(fuses).arm(catalogue())
    if mutant is not None:
        MUTANTS[mutant]()
    engarde(["run", *arguments], prog_name="engarde")


faulty(prog_name="faulty")
