"""From Structs to JSON Schemas, as components that are named once.

msgspec (0.22) gives the schemas. It leaves two things out that clients want to know: that a
`datetime` is written as RFC 3339, and which fields of an answer are never missing although they
have a default.
"""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, get_args

import msgspec
from msgspec import inspect

from engarde_daemon.api.fields import Parsed, shape_in

Schema = dict[str, Any]

_PREFIX = "#/components/schemas/"


class Shapes:
    """All schemas of a document."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, shape: Any) -> Schema:
        """The schema of a shape; of a Struct it is a reference.

        Raises:
            ValueError: Two different Structs have one name.
        """
        if isinstance(shape, UnionType):  # msgspec could not read one of Structs, but writes it
            return {"anyOf": [self.of(one) for one in get_args(shape)]}
        (schema,), components = msgspec.json.schema_components(
            [shape], schema_hook=_written, ref_template=_PREFIX + "{name}"
        )
        for struct in _structs_in(inspect.type_info(shape)):
            self._complete(struct, components)
        # A default of `()` is an empty list in JSON.
        for name, component in msgspec.json.decode(msgspec.json.encode(components)).items():
            if self.components.setdefault(name, component) != component:
                raise ValueError(f"two Structs are called {name}: {shape}")
        return schema

    def fields(self, shape: type[msgspec.Struct]) -> dict[str, Schema]:
        """The schemas of a Struct's fields by name, without the Struct itself."""
        self.of(shape)
        fields: dict[str, Schema] = self.components.pop(_name_of(shape))["properties"]
        return fields

    def _complete(self, struct: inspect.StructType, components: Mapping[str, Schema]) -> None:
        schema = components[_name_of(struct.cls)]
        is_answer = not struct.forbid_unknown_fields and not _omits_defaults(struct.cls)
        for field in struct.fields:
            properties = schema["properties"]
            properties[field.encode_name] = self._told(field.type, properties[field.encode_name])
            if is_answer and _has_default(field):
                schema["required"] = [*schema["required"], field.encode_name]

    def _told(self, kind: inspect.Type, schema: Schema) -> Schema:
        if isinstance(kind, inspect.Metadata):
            shape = shape_in(kind.extra)
            return self._told(kind.type, schema) if shape is None else self.of(shape)
        kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
        if any(isinstance(one, inspect.DateTimeType) for one in kinds):
            for option in schema.get("anyOf", [schema]):
                if option.get("type") == "string":
                    option["format"] = "date-time"
        return schema


def without_null(schema: Schema) -> Schema:
    """The same schema where null cannot be said, as in a query."""
    given = {name: value for name, value in schema.items() if value is not None}
    options = given.pop("anyOf", None)
    if options is None:
        return given
    said = [option for option in options if option != {"type": "null"}]
    return {**said[0], **given} if len(said) == 1 else {"anyOf": said, **given}


def _written(kind: Any) -> Schema:
    if issubclass(kind, Parsed):
        return msgspec.json.schema(kind.written)
    raise NotImplementedError(kind)


def _structs_in(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """Every Struct within a type, each once."""
    seen: set[type] = set()
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        if isinstance(one, inspect.StructType) and one.cls not in seen:
            seen.add(one.cls)
            yield one
            waiting += [field.type for field in one.fields]
        waiting += _parts_of(one)


def _parts_of(kind: inspect.Type) -> list[inspect.Type]:
    match kind:
        case inspect.Metadata():
            return [kind.type]
        case inspect.UnionType():
            return list(kind.types)
        case inspect.CollectionType():
            return [kind.item_type]
        case inspect.DictType():
            return [kind.value_type]
        case _:
            return []


def _name_of(struct: Any) -> str:
    (schema,), _ = msgspec.json.schema_components(
        [struct], schema_hook=_written, ref_template="{name}"
    )
    return str(schema["$ref"])


def _omits_defaults(struct: Any) -> bool:
    return bool(getattr(struct, "__origin__", struct).__struct_config__.omit_defaults)


def _has_default(field: inspect.Field) -> bool:
    """Whether it has a default that is written; UNSET is none."""
    defaults = (field.default, field.default_factory)
    return not field.required and any(given is not msgspec.NODEFAULT for given in defaults)
