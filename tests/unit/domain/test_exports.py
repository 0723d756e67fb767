"""Exports as the tools of platforms write them, cut anywhere."""

import codecs
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.errors import Invalid
from engarde_daemon.domain.exports import COLUMNS_MAX, ROW_BYTES_MAX, ExportReader, Row
from engarde_daemon.domain.importing import AssetKind

TODAY = date(2026, 6, 1)
CSV = (
    b"\xef\xbb\xbfAd ID,Headline,Primary text,Image URL,Day,Impr.,Cost,Hour of day\r\n"
    b'1,"Say ""hi""","two\nlines",https://x/a.png https://x/b.png,2026-01-31,"1,000",12.34,5\r\n'
    b"\r\n2,\xc3\xa9t\xc3\xa9,,,,,,\r\n"
)
OBJECTS: list[dict[str, Any]] = [
    {"external_id": 1, "text": 'br{ace } and "quo\\te"', "extra": {"deep": [{}]}},
    {"external_id": "2", "tags": ["a", "b"], "media_urls": ["https://x/a"], "media_ids": ["h"]},
]


def read(raw: bytes, size: int = 1_000_000) -> list[Row]:
    """The rows of an export that comes in pieces of a size."""
    reader, rows = ExportReader(today=TODAY), list[Row]()
    for place in range(0, len(raw), size):
        rows += reader.feed(raw[place : place + size])
    rows += reader.end()
    assert reader.number == len(rows)
    return rows


def refusal(raw: bytes) -> str:
    """Why an export is refused."""
    with pytest.raises(Invalid) as refused:
        read(raw)
    return refused.value.detail


def line(**cells: Any) -> bytes:
    """A row as JSON."""
    return json.dumps({"id": "1", **cells}).encode()


@given(st.integers(1, 80))
def test_csv_says_the_same_wherever_it_is_cut(size: int):
    """Quoted commas, quotes and line breaks, a byte order mark and accents too."""
    first, second = read(CSV, size)

    assert (first.asset.headline, first.asset.text) == ('Say "hi"', "two\nlines")
    assert [one.url for one in first.asset.media] == ["https://x/a.png", "https://x/b.png"]
    assert first.figures is not None
    assert (first.figures.day, first.figures.hour) == (date(2026, 1, 31), 5)
    assert (first.figures.impressions, first.figures.spend_micros) == (1000, 12_340_000)
    assert (second.asset.name, second.figures) == ("été", None)


@given(st.integers(1, 80), st.sampled_from(["\n", "list"]))
def test_json_says_the_same_wherever_it_is_cut(size: int, form: str):
    """As lines and as one list; braces in texts end nothing."""
    told = [json.dumps(one) for one in OBJECTS]
    raw = "\n".join(told) if form == "\n" else f" [{' , '.join(told)}]\n"
    first, second = read(codecs.BOM_UTF8 + raw.encode(), size)

    assert (first.asset.external_id, first.asset.text) == ("1", OBJECTS[0]["text"])
    assert second.asset.tags == ("a", "b")
    assert (second.asset.media[0].identity, second.asset.media[0].url) == ("h", "https://x/a")


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"type": "Headline"}, AssetKind.HEADLINE),
        ({"type": ""}, AssetKind.AD_COPY),
        ({"type": "carousel"}, AssetKind.OTHER),
        ({"type": "carousel", "media_urls": "https://x/"}, AssetKind.AD_COPY),
    ],
)
def test_a_type_is_one_that_the_platform_knows(cells: dict[str, Any], kind: AssetKind):
    """An unknown one is an ad where it has files, and something else where it has none."""
    (row,) = read(line(**cells))

    assert row.asset.kind is kind


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "file: holds no rows"),
        (b"id,name\r\n", "file: holds no rows"),
        (b"id\n\xff\n", "row 1: is not UTF-8 text"),
        (b'id\n"a"b\n', "row 1: is no row of CSV"),
        (b"id\n1\n" + b"," * COLUMNS_MAX + b"\n", f"row 1: has more than {COLUMNS_MAX} columns"),
        (b'id\n"' + b"a" * ROW_BYTES_MAX, f"row 1: is longer than {ROW_BYTES_MAX:,} bytes"),
        (b'{"id": 1', "row 1: breaks off, or is no JSON object"),
        (b'{"id": "\\', "row 1: breaks off, or is no JSON object"),
        (b"[}", "row 1: is no JSON object"),
        (b'{"id" 1}', "row 1: is no JSON object"),
        (line(id=""), "row 1: needs an external_id of 1 to 255 characters"),
        (line(text={}), "row 1: holds no text for text"),
        (line(media_urls="https://x/ " * 21), "row 1: may name 20 files"),
        (line(date="31.1.2026"), "row 1: needs its date as 2026-01-31"),
        (line(date="2026-01-31", hour="24"), "row 1: needs its hour as a number from 0 to 23"),
        (line(date="2026-01-31", hour="0230"), "row 1: needs its hour as a number from 0 to 23"),
        (line(date="2026-01-31", hour="00024"), "row 1: needs its hour as a number from 0 to 23"),
        (line(date="1999-12-31"), "row 1: needs a date between 2000-01-01 and tomorrow"),
        (line(date="9999-12-31"), "row 1: needs a date between 2000-01-01 and tomorrow"),
        (line(date="2026-01-31", clicks="few"), "row 1: holds no number for clicks"),
        (line(date="2026-01-31", spend="NaN"), "row 1: holds no number for spend"),
        (line(date="2026-01-31", spend="12,50"), "row 1: holds no number for spend"),
        (line(date="2026-01-31", spend="1.2.3"), "row 1: holds no number for spend"),
        (line(tags=[{}]), "row 1: holds no text for tags"),
        (b'[{"id": 1}', "row 1: is the last, but the list does not end after it"),
        (line(date="2026-01-31", clicks=-1), "row 1: holds no number from 0 to 10^12 for clicks"),
    ],
)
def test_what_cannot_be_understood_is_named_by_its_row(raw: bytes, told: str):
    """The whole export is refused."""
    assert told in refusal(raw)


@pytest.mark.parametrize(
    ("told", "micros"),
    [("1,234,567.5", 1_234_567_500_000), ("1,00,000", 10**11), ("--", 0), (" ", 0), (1e-05, 10)],
)
def test_a_number_may_have_its_thousands_apart(told: object, micros: int):
    """By commas, in lakhs too; a cell may say that there is none."""
    (row,) = read(line(date="2026-01-31", spend=told))

    assert row.figures is not None
    assert row.figures.spend_micros == micros


def test_of_columns_that_mean_one_thing_none_is_lost():
    """A picture beside an empty column for videos, or both; a title beside an empty headline."""
    head = b"id,image_url,video_url,headline,title\n"
    first, second = read(head + b"1,https://x/a,,Hello,\n2,https://x/b,https://x/c,,Bye\n")

    assert [one.url for one in first.asset.media] == ["https://x/a"]
    assert [one.url for one in second.asset.media] == ["https://x/b", "https://x/c"]
    assert (first.asset.headline, second.asset.headline) == ("Hello", "Bye")


def test_a_file_without_an_id_goes_by_its_address():
    """An empty id is none: two files would be one."""
    (row,) = read(line(media_urls=["https://x/a", "https://x/b", ""], media_ids=["", "h", "i"]))

    assert [one.identity for one in row.asset.media] == ["https://x/a", "h"]


def test_a_cell_may_hold_nothing_but_line_breaks():
    """Each byte is looked at once, or nobody would wait for the end."""
    (row,) = read(b'id,text,name\n1,"' + b"\n" * 900_000 + b'",x\n', 65_536)

    assert (row.asset.text, row.asset.name) == ("", "x")


def test_a_cell_may_be_as_long_as_a_row():
    """Not only as long as the eighth of one that Python takes by itself."""
    (row,) = read(b"id,text\n1," + b"a" * 900_000)

    assert len(row.asset.text) == 900_000
