"""From bytes to checked values, with every fault named at once.

The happy path is one pass of msgspec. Only when that refuses is each field looked at for itself,
so that a caller learns everything that is wrong from one answer.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any, NoReturn, TypeVar

import msgspec

from engarde_daemon.api.fields import parse
from engarde_daemon.domain.errors import FieldError, Invalid, Malformed

DEPTH_MAX = 64
VALUES_MAX = 100_000  # lists and objects count twice; all their checks take some 0.1 s
FAULTS_MAX = 100
REASON_CHARACTERS_MAX = 300

T = TypeVar("T", bound=msgspec.Struct)

_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = "unknown field"
_WHOLE = re.compile(r"-?[0-9]{1,100}")
_DIGITS_MAX = 4000  # of int(); Python refuses more (sys.int_info)


def decode_json(raw: bytes, shape: type[T]) -> T:
    """Read a JSON document as `shape`.

    Raises:
        Malformed: It is no JSON document, nested too deeply, or of too many values.
        Invalid: Fields are wrong; all of them are named.
    """
    bound_values(raw)
    try:
        value = msgspec.json.decode(raw, type=shape, dec_hook=parse)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return _checked(_document(raw), shape)
    return value if _is_simple(raw) else _checked(_document(raw), shape)


def bound_values(raw: bytes) -> None:
    """See that a document is made of no more values than may be looked at one by one.

    Long texts are no matter: only what stands outside of them is counted, before anything is made
    of it.

    Raises:
        Malformed: There are too many.
    """
    if len(raw) > VALUES_MAX and _marks_in(raw) > VALUES_MAX and _values_in(raw) > VALUES_MAX:
        raise Malformed(f"The body is made of more than {VALUES_MAX:,} values.")


def decode_query(values: Mapping[str, Sequence[str]], shape: type[T]) -> T:
    """Read query parameters as `shape`; a parameter of a list type may repeat or use commas.

    Raises:
        Invalid: Parameters are wrong; all of them are named.
    """
    lists = _fields_of(shape, list)
    document = {
        name: [part for text in texts for part in text.split(",") if part]
        if name in lists
        else _plain(texts[-1], name, shape)
        for name, texts in values.items()
    }
    try:
        if all(text.isprintable() for pair in values.items() for text in (pair[0], *pair[1])):
            return msgspec.convert(document, shape, dec_hook=parse)
    except msgspec.ValidationError:
        pass
    return _checked(document, shape)


def _document(raw: bytes) -> object:
    """Read any JSON with more patience than msgspec: lone surrogates and endless numbers too.

    What cannot be stored is found by `_value_errors`, which knows the name of its field.
    """
    try:
        return json.loads(raw.decode(), parse_int=_integer, parse_constant=_refuse_constant)
    except RecursionError:
        raise Malformed(f"The body is nested deeper than {DEPTH_MAX} levels.") from None
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    except ValueError as error:
        raise Malformed(f"The body is no JSON document: {_bounded(error)}.") from None


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _DIGITS_MAX else math.inf


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def _plain(text: str, name: str, shape: type[msgspec.Struct]) -> object:
    """A parameter as JSON would have given it."""
    if name in _fields_of(shape, bool):
        return {"true": True, "false": False}.get(text, text)
    return int(text) if name in _fields_of(shape, int) and _WHOLE.fullmatch(text) else text


def _checked(document: object, shape: type[T]) -> T:
    if not isinstance(document, dict):
        raise Invalid([FieldError("", "must be a JSON object")])
    faults = chain(_field_errors(document, shape), _value_errors(document, "", 1))
    errors = list(islice(faults, FAULTS_MAX))
    if errors:
        raise Invalid(errors)
    return msgspec.convert(document, shape, dec_hook=parse)


def _field_errors(document: Mapping[str, Any], shape: type[T]) -> Iterator[FieldError]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    for name, value in document.items():
        if name not in fields:
            yield FieldError(_bounded(name), _UNKNOWN)
            continue
        try:
            msgspec.convert(value, fields[name].type, dec_hook=parse)
        except msgspec.ValidationError as error:
            yield _located(name, str(error))
        except UnicodeEncodeError:
            continue  # half a surrogate pair, which `_value_errors` names
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


def _marks_in(text: bytes) -> int:
    """How often a value may begin or end here."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _values_in(raw: bytes) -> int:
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * VALUES_MAX:  # a name and a text for every value
        return VALUES_MAX + 1
    return sum(_marks_in(between) for between in plain.split(b'"')[::2])


def _value_errors(value: object, path: str, depth: int) -> Iterator[FieldError]:
    if depth > DEPTH_MAX:
        yield FieldError(path.partition(".")[0], f"is nested deeper than {DEPTH_MAX} levels")
        return
    match value:
        case str() if not _is_storable(value):
            yield FieldError(_bounded(path), "holds a NUL character or what is no valid Unicode")
        case float() if not math.isfinite(value):
            yield FieldError(_bounded(path), "holds a number that is too large")
        case dict():
            for name, inner in value.items():
                yield from _value_errors(name, path or _bounded(name), depth)
                yield from _value_errors(inner, f"{path}.{_bounded(name)}".lstrip("."), depth + 1)
        case list():
            for place, inner in enumerate(value):
                yield from _value_errors(inner, f"{path}[{place}]", depth + 1)


def _is_storable(text: str) -> bool:
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _fields_of(shape: type[msgspec.Struct], kind: type) -> frozenset[str]:
    """The fields whose type is `kind`, or may be."""
    fields = msgspec.structs.fields(shape)
    return frozenset(field.encode_name for field in fields if _allows(field.type, kind))


def _allows(annotation: Any, kind: type) -> bool:
    options = (annotation, *getattr(annotation, "__args__", ()))
    return any(getattr(option, "__origin__", option) is kind for option in options)


def _bounded(text: object) -> str:
    return str(text).encode(errors="replace").decode()[:REASON_CHARACTERS_MAX]
