"""Rows of an answer as a table, as CSV, or as JSON.

CSV and JSON are printed as the rows come; a table needs all of them to know its widths.
"""

import csv
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import rich_click as click

if TYPE_CHECKING:
    from engarde_daemon.adapters.archive.analysis import Answer

Format: TypeAlias = Literal["table", "csv", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json")
_CELL_CHARACTERS_MAX = 60


def print_answer(answer: "Answer", form: Format) -> None:
    """Print all rows; JSON is one object a line."""
    match form:
        case "json":
            for row in answer.rows:
                click.echo(msgspec.json.encode(row))
        case "csv":
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(answer.columns)
            writer.writerows([_text(value) for value in row.values()] for row in answer.rows)
        case "table":
            _print_table(answer.columns, answer.rows)


def _print_table(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    lines = [list(columns), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    text = " ".join(_text(value).split()) if value is not None else "-"
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= _CELL_CHARACTERS_MAX else f"{shown[: _CELL_CHARACTERS_MAX - 1]}…"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
