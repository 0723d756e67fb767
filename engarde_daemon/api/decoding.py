"""From bytes to checked values, with every fault named at once.

The happy path is one pass of msgspec. Only when that refuses is each field looked at for itself,
so that a caller learns everything that is wrong from one answer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec

from engarde_daemon.domain.errors import FieldError, Invalid, Malformed

DEPTH_MAX = 64
REASON_CHARACTERS_MAX = 300

T = TypeVar("T", bound=msgspec.Struct)

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = "unknown field"


def decode_json(raw: bytes, shape: type[T]) -> T:
    """Read a JSON document as `shape`.

    Raises:
        Malformed: It is no JSON document, or nested too deeply.
        Invalid: Fields are wrong; all of them are named.
    """
    try:
        value = msgspec.json.decode(raw, type=shape)
        if _is_simple(raw):
            return value
        document = msgspec.json.decode(raw)
    except msgspec.ValidationError:
        document = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise Malformed(f"The body is no JSON document: {_bounded(error)}.") from None
    except (RecursionError, UnicodeDecodeError):
        raise Malformed("The body is nested too deeply, or is not UTF-8.") from None
    return _checked(document, shape)


def decode_query(values: Mapping[str, Sequence[str]], shape: type[T]) -> T:
    """Read query parameters as `shape`; a parameter of a list type may repeat or use commas.

    Raises:
        Invalid: Parameters are wrong; all of them are named.
    """
    lists = _list_fields(shape)
    document = {
        name: [part for text in texts for part in text.split(",") if part]
        if name in lists
        else texts[-1]
        for name, texts in values.items()
    }
    try:
        if all(text.isprintable() for texts in values.values() for text in texts):
            return msgspec.convert(document, shape, strict=False)
    except msgspec.ValidationError:
        pass
    return _checked(document, shape, strict=False)


def _checked(document: object, shape: type[T], *, strict: bool = True) -> T:
    if not isinstance(document, dict):
        raise Invalid([FieldError("", "must be a JSON object")])
    errors = [*_field_errors(document, shape, strict=strict), *_text_errors(document, "", 1)]
    if errors:
        raise Invalid(errors)
    return msgspec.convert(document, shape, strict=strict)


def _field_errors(
    document: Mapping[str, Any], shape: type[T], *, strict: bool
) -> Iterator[FieldError]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name, value in document.items():
        if name not in fields:
            yield FieldError(_bounded(name), _UNKNOWN)
            continue
        try:
            msgspec.convert(value, fields[name].type, strict=strict)
        except msgspec.ValidationError as error:
            yield _located(name, str(error))
    for name, field in fields.items():
        if field.required and name not in document:
            yield FieldError(name, "is required")


def _located(name: str, reason: str) -> FieldError:
    place = _PLACE.search(reason)
    if place is None:
        return FieldError(name, _bounded(reason))
    path = place["path"]
    joint = "" if path.startswith("[") or not path else "."
    return FieldError(_bounded(f"{name}{joint}{path}"), _bounded(reason[: place.start()]))


def _is_simple(raw: bytes) -> bool:
    """Whether neither text nor depth can be wrong, told without looking at the values."""
    return b"\\u0000" not in raw and raw.count(b"{") + raw.count(b"[") <= DEPTH_MAX


def _text_errors(value: object, path: str, depth: int) -> Iterator[FieldError]:
    if depth > DEPTH_MAX:
        yield FieldError(path.partition(".")[0], f"is nested deeper than {DEPTH_MAX} levels")
        return
    match value:
        case str() if not _is_storable(value):
            yield FieldError(path, "holds a NUL character or half a surrogate pair")
        case dict():
            for name, inner in value.items():
                yield from _text_errors(name, path, depth)
                yield from _text_errors(inner, f"{path}.{_bounded(name)}".lstrip("."), depth + 1)
        case list():
            for place, inner in enumerate(value):
                yield from _text_errors(inner, f"{path}[{place}]", depth + 1)


def _is_storable(text: str) -> bool:
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _list_fields(shape: type[msgspec.Struct]) -> frozenset[str]:
    fields = msgspec.structs.fields(shape)
    return frozenset(field.encode_name for field in fields if _is_list(field.type))


def _is_list(kind: Any) -> bool:
    options = getattr(kind, "__args__", ())
    return any(getattr(option, "__origin__", option) is list for option in (kind, *options))


def _bounded(text: object) -> str:
    return str(text).encode(errors="replace").decode()[:REASON_CHARACTERS_MAX]
