"""Rows on their way to BigQuery."""

from datetime import UTC, date, datetime, timedelta, timezone

import msgspec
import pytest

from engarde_daemon.adapters.bigquery.wire import RowMisfitError, WireRows
from engarde_daemon.domain.archive_tables import LAYOUTS, ArchiveTable

ANALYTICS = WireRows(LAYOUTS[ArchiveTable.ANALYTICS])
SNAPSHOTS = WireRows(LAYOUTS[ArchiveTable.SNAPSHOTS])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("title", 7),
        ("title", "\ud800"),
        ("version", "1"),
        ("version", 2**63),
        ("snapshot_timestamp", "2026-03-14T09:26:53Z"),
        ("snapshot_timestamp", datetime(2026, 3, 14)),  # noqa: DTZ001 - that is what is wrong
        ("metadata", object()),
    ],
)
@pytest.mark.parametrize("encode", [SNAPSHOTS.packed, SNAPSHOTS.line])
def test_a_value_of_another_type_is_refused_by_its_column(encode, column: str, value: object):
    """The reason names the column and quotes nothing of the value."""
    with pytest.raises(RowMisfitError, match=f"^{column} is no [A-Z0-9]+$"):
        encode({column: value})


@pytest.mark.parametrize("value", ["2026-03-14", datetime(2026, 3, 14, tzinfo=UTC), 20_526])
def test_a_date_is_a_date(value: object):
    """A moment is not taken for a day: whose day it is depends on a time zone."""
    with pytest.raises(RowMisfitError, match="metric_date"):
        ANALYTICS.packed({"metric_date": value})


def test_moments_travel_as_microseconds_of_utc():
    """https://cloud.google.com/bigquery/docs/supported-data-types says int64 for TIMESTAMP."""
    moment = datetime(1969, 12, 31, 22, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-1)))

    packed = SNAPSHOTS.packed({"snapshot_timestamp": moment})

    assert packed == field(16, -1)


def test_days_travel_as_their_number_since_1970():
    """And as int32."""
    assert ANALYTICS.packed({"metric_date": date(1970, 1, 2)}) == field(5, 1)


def test_json_travels_as_text_in_a_message_and_as_itself_in_a_line():
    """A line with text instead would become a JSON string in the table."""
    row = {"metadata": {"tags": ["größe"]}}

    text = '{"tags":["größe"]}'.encode()
    assert SNAPSHOTS.packed(row) == bytes([11 << 3 | 2, len(text)]) + text
    assert msgspec.json.decode(SNAPSHOTS.line(row)) == row


def test_a_line_ends_once_and_a_body_breaks_none():
    """Newline-delimited means that no other newline may stand in it."""
    line = SNAPSHOTS.line({"content_body": "a\nb\r\n\u2028"})

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_what_is_none_is_left_out():
    """The table then has null there."""
    assert SNAPSHOTS.packed({"version_of": None}) == b""
    assert SNAPSHOTS.line({"version_of": None}) == b"{}\n"


def field(number: int, value: int) -> bytes:
    """A protocol buffer field of variable length: https://protobuf.dev/programming-guides/encoding."""
    return varint(number << 3) + varint(value & (2**64 - 1))


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    rest, low = value >> 7, value & 0x7F
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])
