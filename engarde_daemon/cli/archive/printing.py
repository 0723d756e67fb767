"""Rows of an answer as a table or as CSV, without a column's text breaking a line of the table."""

import csv
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import rich_click as click

from engarde_daemon.cli.output import printable

if TYPE_CHECKING:
    from engarde_daemon.adapters.archive.analysis import Answer

_CELL_CHARACTERS_MAX = 60


def print_csv(answer: "Answer") -> None:
    """Print the rows as they come."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([_text(value) for value in row.values()] for row in answer.rows)


def print_table(answer: "Answer") -> None:
    """Print all rows for a person, long values cut; the widths need all of them."""
    rows = ([_cell(value) for value in row.values()] for row in answer.rows)
    lines = [answer.columns, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    shown = printable(_text(value)) if value is not None else "-"
    return shown if len(shown) <= _CELL_CHARACTERS_MAX else f"{shown[: _CELL_CHARACTERS_MAX - 1]}…"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
