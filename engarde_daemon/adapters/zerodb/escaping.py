"""JSON values as ZeroDB can hold them, and back again without loss.

Owns a mapping that can be undone: PostgreSQL's `jsonb`, in which ZeroDB keeps its rows, refuses
U+0000 and lone surrogates, JSON has no NaN and no infinities, and a `jsonb` number of 1e16 or more
comes back as a whole number. Each is written as a text that begins with a mark from the private
use area, and so is the mark itself. Everything else is left as it is, for others to read.

https://www.postgresql.org/docs/current/datatype-json.html
"""

import re
from collections.abc import Callable
from typing import Any

_MARK = "\ue05a"
_FLOAT = f"{_MARK}="
_UNSAFE = re.compile(f"[\x00\ud800-\udfff{_MARK}]")
_ESCAPED = re.compile(f"{_MARK}([0-9a-f]{{4}})")
_WHOLE_FROM = 1e16


def escaped(value: Any) -> Any:
    """The value in a form that comes back from ZeroDB unchanged."""
    if isinstance(value, str):
        return value if _is_safe(value) else _UNSAFE.sub(_escape, value)
    if isinstance(value, float) and not abs(value) < _WHOLE_FROM:  # also true of NaN
        return f"{_FLOAT}{value!r}"
    return _inside(value, escaped)


def restored(value: Any) -> Any:
    """What `escaped` was given.

    Raises:
        ValueError: It was not made by `escaped`.
    """
    if not isinstance(value, str):
        return _inside(value, restored)
    if _MARK not in value:
        return value
    if value.startswith(_FLOAT):
        return float(value.removeprefix(_FLOAT))
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


def _is_safe(text: str) -> bool:
    """Whether `_UNSAFE` finds nothing, which costs a hundredth of looking for it with `re`."""
    if "\0" in text or _MARK in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def _escape(found: re.Match[str]) -> str:
    return f"{_MARK}{ord(found[0]):04x}"


def _inside(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {change(key): change(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [change(inner) for inner in value]
    return value
