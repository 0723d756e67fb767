"""From what people wrote to checked settings.

Owns the order (command line, environment, file, default) and the promise that one start shows
every fault: nothing stops at the first. No message repeats a value, for it could be a secret.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_origin

import msgspec

from engarde_daemon.config.errors import ConfigurationError
from engarde_daemon.config.settings import PlanLimits, Settings
from engarde_daemon.config.sources import (
    PREFIX,
    Entry,
    Key,
    from_command_line,
    from_environment,
    from_file,
    leaves,
)

_ANY_NAME = "*"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NAME_RULE = "NAME (lower case letters, digits and single underscores)"


def load(
    path: Path | None,
    environ: Mapping[str, str],
    overrides: Mapping[str, Any] = MappingProxyType({}),
) -> Settings:
    """Read the settings; `overrides` has keys like `server.port` and wins over everything.

    Raises:
        ConfigurationError: Something is wrong; the error names all of it.
    """
    problems: list[str] = []
    try:
        entries = from_file(path) if path else []
    except ConfigurationError as unreadable:
        entries, problems = [], [*unreadable.problems]
    entries += [*from_environment(environ), *from_command_line(overrides)]
    values: dict[str, Any] = msgspec.to_builtins(Settings())
    for entry in entries:
        problems += _apply(entry, values)
    problems += _near_misses(environ, values)
    problems += _gaps(values, {entry.key for entry in entries})
    problems += _contradictions(values)
    if problems:
        raise ConfigurationError(problems)
    return msgspec.convert(values, Settings)


def keys() -> list[Key]:
    """Every setting there is; `*` stands for a name that the operator chooses."""
    return list(_SCHEMA)


def _schema(section: type[msgspec.Struct], prefix: Key = ()) -> Iterator[tuple[Key, Any]]:
    for field in msgspec.structs.fields(section):
        key = (*prefix, field.name)
        if get_origin(field.type) is dict:
            yield from _schema(get_args(field.type)[1], (*key, _ANY_NAME))
        elif isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _schema(field.type, key)
        else:
            yield key, field.type


_SCHEMA: Mapping[Key, Any] = MappingProxyType(dict(_schema(Settings)))


def _apply(entry: Entry, values: dict[str, Any]) -> list[str]:
    """Put one entry in its place, or say why it has none."""
    kind = _kind(entry.key)
    if kind is None and entry.value == {} and _names_below(entry.key):
        _table(values, entry.key)
        return []
    if kind is None:
        return [_unknown(entry)]
    given = entry.value
    if entry.is_text and get_origin(get_args(kind)[0]) is tuple:
        given = [part.strip() for part in given.split(",") if part.strip()]
    try:
        value = msgspec.convert(given, kind, strict=not entry.is_text)
    except msgspec.ValidationError:
        return [_line(entry, f"must be {_allowed(kind)}")]
    _table(values, entry.key[:-1])[entry.key[-1]] = value
    return []


def _kind(key: Key) -> Any:
    """The type of a setting, or None where there is no such setting."""
    return next((kind for known, kind in _SCHEMA.items() if _covers(known, key)), None)


def _covers(known: Key, key: Key) -> bool:
    return len(known) == len(key) and _starts(known, key)


def _starts(known: Key, key: Key) -> bool:
    return all(
        _NAME.fullmatch(part) if expected == _ANY_NAME else expected == part
        for expected, part in zip(known, key, strict=False)
    )


def _names_below(key: Key) -> list[str]:
    """What may stand directly below a table; nothing when it is no table."""
    below = (known[len(key)] for known in _SCHEMA if len(known) > len(key) and _starts(known, key))
    return list(dict.fromkeys(below))


def _unknown(entry: Entry) -> str:
    if _names_below(entry.key):
        return _line(entry, f"is a section: write [{'.'.join(entry.key)}] and its settings below")
    length = next(n for n in range(len(entry.key) - 1, -1, -1) if _names_below(entry.key[:n]))
    names = [_NAME_RULE if name == _ANY_NAME else name for name in _names_below(entry.key[:length])]
    section = f"[{'.'.join(entry.key[:length])}] has" if length else "the sections are"
    return _line(entry, f"is no setting; {section} {', '.join(names)}")


def _near_misses(environ: Mapping[str, str], values: Mapping[str, Any]) -> list[str]:
    """Refuse `ENGARDE_SERVER_PORT`: it can only be meant for `ENGARDE_SERVER__PORT`."""
    known = [key for key, _ in leaves(values)]
    meant = {PREFIX + "_".join(key).upper(): PREFIX + "__".join(key).upper() for key in known}
    return [
        f"{name}: is no setting; write {meant[name]} (from environment variable {name})"
        for name in sorted(environ)
        if name in meant
    ]


def _gaps(values: dict[str, Any], given: set[Key]) -> Iterable[str]:
    """Name what a plan of the operator's own leaves open."""
    needed = [field.name for field in msgspec.structs.fields(PlanLimits) if field.required]
    fields = chain.from_iterable(
        (("plans", plan, field) for field in needed if field not in limits)
        for plan, limits in values["plans"].items()
    )
    return [
        f"{'.'.join(key)}: is missing; must be {_allowed(_kind(key))}"
        for key in fields
        if key not in given
    ]


def _contradictions(values: dict[str, Any]) -> Iterable[str]:
    """Settings that are allowed for themselves, but not together."""
    auth, insecure = values["auth"], values["limits"]["allow_private_addresses"]
    for section in ("zerodb", "zerodb_next"):
        for name in ("project_id", "api_key"):
            if values[section]["mode"] == "cloud" and not values[section][name]:
                yield f"{section}.{name}: is missing; the hosted ZeroDB takes nothing without it"
    if values["bigquery"]["mode"] == "bigquery" and not values["bigquery"]["project"]:
        yield "bigquery.project: is missing; BigQuery needs one that it can bill"
    if auth["jwks_url"] and auth["jwt_secret"]:
        yield "auth.jwt_secret: must be empty where auth.jwks_url is given: one of them proves tokens"
    if auth["jwks_url"].startswith("http://") and not insecure:
        yield "auth.jwks_url: must be https://, unless limits.allow_private_addresses is true"
    if auth["jwks_url"] or auth["jwt_secret"]:
        for name in ("issuer", "audience"):
            if not auth[name]:
                yield f"auth.{name}: is missing; tokens are taken only from one issuer for one audience"


def _table(values: dict[str, Any], key: Key) -> dict[str, Any]:
    for part in key:
        values = values.setdefault(part, {})
    return values


def _allowed(kind: Any) -> str:
    return next(str(meta.description) for meta in kind.__metadata__)


def _line(entry: Entry, problem: str) -> str:
    return f"{'.'.join(entry.key)}: {problem} (from {entry.origin})"
