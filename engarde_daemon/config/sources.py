"""What was written where: each source of settings as a list of entries that know their origin.

Owns the rule that every fault can be traced to the line or variable that holds it. What an entry
means, and whether it is allowed, is not decided here.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from engarde_daemon.config.errors import ConfigurationError

Key: TypeAlias = tuple[str, ...]

PREFIX = "ENGARDE_"

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_PAIR = re.compile(r"\s*([\w.\"' -]+?)\s*=")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One value as somebody wrote it."""

    key: Key
    value: Any
    origin: str
    is_text: bool = False


def from_file(path: Path) -> list[Entry]:
    """Read a TOML file.

    Raises:
        ConfigurationError: The file cannot be read or is not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from error
    except ValueError as error:  # neither UTF-8 nor TOML
        raise ConfigurationError([f"{path}: is not valid TOML: {error}"]) from error
    lines = _lines(text)
    return [
        Entry(key=key, value=value, origin=_place(path, lines, key))
        for key, value in leaves(tables)
    ]


def from_environment(environ: Mapping[str, str]) -> list[Entry]:
    """Take the variables that name a setting: `ENGARDE_SECTION__KEY`.

    A variable without the double underscore belongs to somebody else, since other programs of the
    platform share the prefix.
    """
    return [
        Entry(
            key=tuple(name.removeprefix(PREFIX).lower().split("__")),
            value=text.strip(),
            origin=f"environment variable {name}",
            is_text=True,
        )
        for name, text in sorted(environ.items())
        if name.startswith(PREFIX) and "__" in name
    ]


def from_command_line(overrides: Mapping[str, Any]) -> list[Entry]:
    """Take the options of a command, written as `section.key`."""
    return [
        Entry(key=tuple(name.split(".")), value=value, origin="the command line")
        for name, value in overrides.items()
    ]


def leaves(tables: Mapping[str, Any], prefix: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Walk to the values; an empty table is a value too, because it may name a plan."""
    for name, value in tables.items():
        key = (*prefix, name)
        if isinstance(value, dict) and value:
            yield from leaves(value, key)
        else:
            yield key, value


def _lines(text: str) -> dict[Key, int]:
    """Where each key stands. tomllib keeps no positions (Python 3.11), so look for them.

    Only error messages rest on this: a key inside an inline table or a string is not found, and
    the message then points to the nearest line above it that is.
    """
    lines: dict[Key, int] = {}
    section: Key = ()
    for number, line in enumerate(text.split("\n"), start=1):
        if header := _HEADER.match(line):
            section = _split(header[1])
            lines.setdefault(section, number)
        elif pair := _PAIR.match(line):
            lines.setdefault((*section, *_split(pair[1])), number)
    return lines


def _split(dotted: str) -> Key:
    return tuple(part.strip(" \"'") for part in dotted.split("."))


def _place(path: Path, lines: Mapping[Key, int], key: Key) -> str:
    for length in range(len(key), 0, -1):
        if key[:length] in lines:
            return f"{path} line {lines[key[:length]]}"
    return str(path)
