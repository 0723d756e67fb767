"""How commands answer: data on standard output, everything else on standard error.

Owns the two forms of an answer. With `--json` it is one object that scripts may rely on; without,
it is the same data as a person likes to read it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import rich_click as click


def print_object(answer: Any, *, as_json: bool) -> None:
    """Print one thing with a line for each of its fields."""
    if as_json:
        print_json(answer)
        return
    fields: Mapping[str, Any] = msgspec.to_builtins(answer)
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name:<{width}}  {_cell(value)}")


def print_list(name: str, rows: Sequence[msgspec.Struct], *, as_json: bool) -> None:
    """Print many things of one kind as a table, or as an object with the list under `name`."""
    if as_json:
        print_json({name: rows})
        return
    table = [[_cell(value) for value in msgspec.to_builtins(row).values()] for row in rows]
    if not table:
        click.echo(f"There are no {name}.", err=True)
        return
    table.insert(0, [field.upper() for field in rows[0].__struct_fields__])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def print_json(answer: Any) -> None:
    """Print one JSON object on one line."""
    click.echo(msgspec.json.encode(answer))


def note(text: str) -> None:
    """Tell a person something that is not part of the answer."""
    click.echo(text, err=True)


def printable(text: str) -> str:
    """The text on one line, with nothing in it that a terminal would obey: tenants wrote it."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return "-" if value in (None, "") else printable(str(value))
