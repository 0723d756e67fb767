"""Rows as the Storage Write API and load jobs take them.

Owns the two encodings of a row and the one place where a row is found not to fit its table before
it travels. Protocol buffer messages are described at run time from the columns, so that no generated
code has to be kept; types as in https://cloud.google.com/bigquery/docs/supported-data-types
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from google.cloud.bigquery_storage_v1.types import ProtoSchema
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from engarde_daemon.domain.archive_tables import Column, Kind, TableLayout

Row: TypeAlias = Mapping[str, Any]

_FIELD = descriptor_pb2.FieldDescriptorProto
_MESSAGE = "Row"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_JSON = msgspec.json.Encoder(order="deterministic")


class RowMisfitError(ValueError):
    """The row cannot be one of its table; the text says why and quotes no content."""


class WireRows:
    """The encodings of one table's rows."""

    def __init__(self, layout: TableLayout) -> None:
        self._columns = {column.name: column for column in layout.columns}
        described = _described(layout.columns)
        self.schema = ProtoSchema(proto_descriptor=described)
        self._message = _message_class(described)

    def packed(self, row: Row) -> bytes:
        """The row as a protocol buffer message; what is None is left out.

        Raises:
            RowMisfitError: A value is not of its column's type.
        """
        packed: bytes = self._message(**self._values(row, _TO_PROTO)).SerializeToString()
        return packed

    def line(self, row: Row) -> bytes:
        """The row as a line of JSON for a load job.

        Raises:
            RowMisfitError: A value is not of its column's type.
        """
        return _JSON.encode(self._values(row, _TO_JSON)) + b"\n"

    def _values(self, row: Row, converters: "_Converters") -> dict[str, Any]:
        return {
            name: _converted(self._columns[name], value, converters)
            for name, value in row.items()
            if value is not None
        }


def _described(columns: Sequence[Column]) -> descriptor_pb2.DescriptorProto:
    message = descriptor_pb2.DescriptorProto(name=_MESSAGE)
    for number, column in enumerate(columns, start=1):
        # Optional for required columns too: the server then names the row that lacks one.
        message.field.add(
            name=column.name,
            number=number,
            type=_PROTO_TYPES[column.kind],
            label=_FIELD.LABEL_OPTIONAL,
        )
    return message


def _message_class(described: descriptor_pb2.DescriptorProto) -> Callable[..., Any]:
    file = descriptor_pb2.FileDescriptorProto(name="row.proto", syntax="proto2")
    file.message_type.append(described)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made: Callable[..., Any] = message_factory.GetMessageClass(pool.FindMessageTypeByName(_MESSAGE))
    return made


def _converted(column: Column, value: object, converters: "_Converters") -> object:
    try:
        return converters[column.kind](value)
    except (TypeError, ValueError, OverflowError):
        raise RowMisfitError(f"{column.name} is no {column.kind.value}") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # a lone surrogate is no text
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise TypeError
    return value


def _float(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _moment(value: object) -> dt.datetime:
    if not isinstance(value, dt.datetime) or value.tzinfo is None:
        raise TypeError
    return value


def _date(value: object) -> dt.date:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise TypeError
    return value


_Converters: TypeAlias = Mapping[Kind, Callable[[Any], object]]

_PROTO_TYPES = {
    Kind.STRING: _FIELD.TYPE_STRING,
    Kind.INT64: _FIELD.TYPE_INT64,
    Kind.FLOAT64: _FIELD.TYPE_DOUBLE,
    Kind.JSON: _FIELD.TYPE_STRING,
    Kind.DATE: _FIELD.TYPE_INT32,
    Kind.TIMESTAMP: _FIELD.TYPE_INT64,
}
_TO_PROTO: _Converters = {
    Kind.STRING: _text,
    Kind.INT64: _integer,
    Kind.FLOAT64: _float,
    Kind.JSON: lambda value: _JSON.encode(value).decode(),
    Kind.DATE: lambda value: (_date(value) - _EPOCH.date()).days,
    Kind.TIMESTAMP: lambda value: (_moment(value) - _EPOCH) // _MICROSECOND,
}
# A load job takes JSON columns as JSON itself; a text would become a JSON string.
_TO_JSON: _Converters = {
    Kind.STRING: _text,
    Kind.INT64: _integer,
    Kind.FLOAT64: _float,
    Kind.JSON: msgspec.to_builtins,
    Kind.DATE: lambda value: _date(value).isoformat(),
    Kind.TIMESTAMP: lambda value: _moment(value).astimezone(dt.UTC).isoformat(),
}
