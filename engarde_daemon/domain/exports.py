"""Exports of ad platforms: rows of CSV or JSON objects, read as they come.

Owns what a row means. Names of columns are those of the API or those that the platforms' own tools
write; columns that mean nothing here are passed over. Rows of one ad, such as one a day, are one
asset with the figures of all. A row that cannot be understood refuses the whole export, by its
number: half an export would look like a whole one.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

import msgspec

from engarde_daemon.domain.analytics import FIGURE_MAX, FIRST_DAY
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.domain.importing import (
    MICROS,
    AssetKind,
    CampaignAsset,
    Figures,
    MediaReference,
)

ROW_BYTES_MAX = 1_000_000
COLUMNS_MAX = 500
MEDIA_MAX = 20
ID_CHARACTERS = 255
URL_CHARACTERS = 2048

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ad_id": "external_id",
        "asset_id": "external_id",
        "id": "external_id",
        "ad_name": "name",
        "asset": "name",
        "ad_type": "type",
        "asset_type": "type",
        "delivery": "status",
        "ad_status": "status",
        "title": "headline",
        "body": "text",
        "ad_copy": "text",
        "primary_text": "text",
        "cta": "call_to_action",
        "final_url": "link",
        "url": "link",
        "website_url": "link",
        "image_url": "media_urls",
        "video_url": "media_urls",
        "media_url": "media_urls",
        "day": "date",
        "reporting_starts": "date",
        "hour_of_day": "hour",
        "impr": "impressions",
        "amount_spent": "spend",
        "cost": "spend",
        "results": "conversions",
        "conversion_value": "revenue",
        "conv_value": "revenue",
        "currency_code": "currency",
    }
)
_ACTIVE = {"", "active", "enabled", "running", "published", "eligible"}
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_MARKS = re.compile(rb'["\\{}]')
_BETWEEN = re.compile(rb"[\s,\[\]]*")
_NUMBER = re.compile(r"[0-9.eE+-]+|[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]*)?")
"""A number of JSON, or one with commas in its thousands (or lakhs): a comma is never a point here."""
_HOUR = re.compile(r"[0-9]{1,2}")
_NOTHING = frozenset({"", "--"})
"""How a cell says that there is no value; `--` is what Google Ads writes."""


csv.field_size_limit(ROW_BYTES_MAX)  # of the whole process; the usual one is an eighth of a row


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an export: an ad, and how it did, where the row says so."""

    asset: CampaignAsset
    figures: Figures | None


class ExportReader:
    """Reads an export in pieces; `number` is the row that was read last, from 1.

    `today` is the day on which it came: figures of later days than tomorrow are nobody's.
    """

    def __init__(self, *, today: date) -> None:
        self.number = 0
        self._last_day = today + timedelta(days=1)
        self._records: _Records | _Objects | None = None
        self._head = b""

    def feed(self, chunk: bytes) -> Iterator[Row]:
        """The rows that end in this piece.

        Raises:
            Invalid: A row cannot be understood; the error names it.
        """
        if self._records is None:
            self._head += chunk
            if codecs.BOM_UTF8.startswith(self._head):
                return
            self._head = self._head.removeprefix(codecs.BOM_UTF8).lstrip()
            if not self._head:
                return
            self._records = _records_of(self._head[:1])
            chunk, self._head = self._head, b""
        yield from self._rows(self._records.feed(chunk))

    def end(self) -> Iterator[Row]:
        """The row that nothing ended, if there is one.

        Raises:
            Invalid: There was no row at all, or the last one broke off.
        """
        if self._records is not None:
            yield from self._rows(self._records.end())
        if not self.number:
            raise Invalid([FieldError("file", "holds no rows")])

    def _rows(self, records: Iterator[Mapping[str, Any]]) -> Iterator[Row]:
        try:
            for record in records:
                self.number += 1
                yield _row_of(_said(record), self._last_day)
        except _Refused as refusal:
            raise Invalid([FieldError(f"row {max(self.number, 1)}", str(refusal))]) from None


def _records_of(first: bytes) -> "_Records | _Objects":
    return _Objects(is_list=first == b"[") if first in {b"{", b"["} else _Records()


class _Refused(Exception):
    """Why a row cannot be understood."""


class _Records:
    """Cuts CSV (RFC 4180) into rows: a line break between quotes ends none."""

    def __init__(self) -> None:
        self._columns: Sequence[str] = ()
        self._held = bytearray()
        self._is_quoted = False

    def feed(self, chunk: bytes) -> Iterator[Mapping[str, str]]:
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            self._take(line + b"\n")
            if not self._is_quoted:
                yield from self._record()
        self._take(rest)
        _bound(self._held)

    def end(self) -> Iterator[Mapping[str, str]]:
        yield from self._record()

    def _take(self, piece: bytes) -> None:
        # Only what is new is looked at: a cell may hold a hundred thousand line breaks.
        self._held += piece
        self._is_quoted ^= piece.count(b'"') % 2 == 1

    def _record(self) -> Iterator[Mapping[str, str]]:
        raw, self._held = self._held, bytearray()
        cells = _cells(_text(raw)) if raw.strip() else []
        if len(cells) > COLUMNS_MAX:
            raise _Refused(f"has more than {COLUMNS_MAX} columns")
        if not self._columns:
            self._columns = cells
        elif cells:
            yield dict(zip(self._columns, cells, strict=False))


class _Objects:
    """Cuts JSON objects out of lines or a list of them."""

    def __init__(self, *, is_list: bool) -> None:
        self._is_list = is_list
        self._held = bytearray()
        self._seen = 0
        self._depth = 0
        self._is_text = False

    def feed(self, chunk: bytes) -> Iterator[Mapping[str, Any]]:
        self._held += chunk
        start = 0
        while (end := self._end()) is not None:
            raw, start = self._held[start:end], end
            yield _object(raw[_between(raw) :])
        del self._held[:start]
        self._seen -= start
        _bound(self._held)

    def end(self) -> Iterator[Mapping[str, Any]]:
        if self._held[_between(self._held) :]:
            raise _Refused("breaks off, or is no JSON object")
        if self._is_list and not self._held.rstrip().endswith(b"]"):
            raise _Refused("is the last, but the list does not end after it")
        yield from ()

    def _end(self) -> int | None:
        """Where the first object ends, once it does."""
        while (mark := _MARKS.search(self._held, self._seen)) is not None:
            self._seen = mark.end()
            sign = mark.group()
            if sign == b"\\":
                if self._seen == len(self._held):  # what it stands before has not come yet
                    self._seen -= 1
                    return None
                self._seen += 1
            elif sign == b'"':
                self._is_text = not self._is_text
            elif not self._is_text:
                self._depth += 1 if sign == b"{" else -1
                if self._depth <= 0:
                    self._depth = 0
                    return self._seen
        self._seen = len(self._held)
        return None


def _between(raw: bytes | bytearray) -> int:
    found = _BETWEEN.match(raw)
    return found.end() if found else 0


def _object(raw: bytes | bytearray) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _Refused("is no JSON object") from None


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise _Refused("is no row of CSV") from None


def _bound(held: bytes | bytearray) -> None:
    if len(held) > ROW_BYTES_MAX:
        raise _Refused(f"is longer than {ROW_BYTES_MAX:,} bytes")


def _text(raw: bytes | bytearray) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _Refused("is not UTF-8 text") from None


def _said(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a row says, by our names.

    Platforms have several columns for what is one thing here, such as pictures and videos: files are
    those of all of them, and of the rest the last one counts that says anything.
    """
    said: dict[str, Any] = {}
    for column, value in record.items():
        name = _name_of(column)
        if name == "media_urls":
            said[name] = [*said.get(name, ()), *_listed(value, name)]
        elif value is not None and value != "":
            said[name] = value
    return said


def _name_of(column: str) -> str:
    name = _NOT_A_WORD.sub("_", column.lower()).strip("_")
    return _NAMES.get(name, name)


def _row_of(said: Mapping[str, Any], last_day: date) -> Row:
    external_id = _word(said, "external_id")[: ID_CHARACTERS + 1]
    if not 0 < len(external_id) <= ID_CHARACTERS:
        raise _Refused(f"needs an external_id of 1 to {ID_CHARACTERS} characters")
    media = _media(said)
    asset = CampaignAsset(
        external_id=external_id,
        name=_word(said, "name") or _word(said, "headline") or external_id,
        kind=_kind(_word(said, "type"), has_media=bool(media)),
        is_active=_word(said, "status").lower() in _ACTIVE,
        headline=_word(said, "headline"),
        text=_word(said, "text"),
        description=_word(said, "description"),
        call_to_action=_word(said, "call_to_action"),
        link=_word(said, "link")[:URL_CHARACTERS],
        tags=tuple(filter(None, _listed(said.get("tags"), "tags")))[:100],
        media=media,
    )
    return Row(asset=asset, figures=_figures(said, external_id, last_day))


def _figures(said: Mapping[str, Any], external_id: str, last_day: date) -> Figures | None:
    day = _word(said, "date")
    if not day:
        return None
    hour = _word(said, "hour")
    return Figures(
        external_id=external_id,
        day=_day(day, last_day),
        hour=_hour(hour) if hour else None,
        impressions=int(_number(said, "impressions")),
        clicks=int(_number(said, "clicks")),
        conversions=float(_number(said, "conversions")),
        spend_micros=int(_number(said, "spend") * MICROS),
        revenue_micros=int(_number(said, "revenue") * MICROS),
        currency=_word(said, "currency")[:3].upper(),
        time_zone=_word(said, "time_zone")[:50],
    )


def _kind(name: str, *, has_media: bool) -> AssetKind:
    wanted = _NOT_A_WORD.sub("_", name.lower())
    if wanted in set(AssetKind):
        return AssetKind(wanted)
    return AssetKind.AD_COPY if not name or has_media else AssetKind.OTHER


def _media(said: Mapping[str, Any]) -> tuple[MediaReference, ...]:
    """The files of an ad, which are known by an id of the platform where there is one."""
    urls: list[str] = said.get("media_urls", [])
    names = _listed(said.get("media_ids"), "media_ids")
    if len(urls) > MEDIA_MAX or any(len(url) > URL_CHARACTERS for url in urls):
        raise _Refused(f"may name {MEDIA_MAX} files, by URLs of {URL_CHARACTERS} characters")
    return tuple(
        MediaReference(identity=name or url, url=url)
        for url, name in zip_longest(urls, names[: len(urls)])
        if url
    )


def _word(said: Mapping[str, Any], name: str) -> str:
    return _plain(said.get(name, ""), name)


def _listed(value: Any, name: str) -> list[str]:
    """Several values: a list in JSON, and in CSV a cell with spaces or semicolons between them."""
    if isinstance(value, list):
        return [_plain(one, name) for one in value]
    between = r"[;,]" if name == "tags" else r"[;\s]+"
    return [part.strip() for part in re.split(between, _plain(value, name)) if part.strip()]


def _plain(value: Any, name: str) -> str:
    if isinstance(value, (dict, list)):
        raise _Refused(f"holds no text for {name}")
    return "" if value is None else str(value).replace("\x00", "").strip()


def _number(said: Mapping[str, Any], name: str) -> Decimal:
    text = _word(said, name)
    if text in _NOTHING:
        return Decimal(0)
    try:
        number = Decimal(text.replace(",", "")) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:
        number = None
    if number is None:
        raise _Refused(f"holds no number for {name}, such as 1234.56 or 1,234.56")
    if not 0 <= number <= FIGURE_MAX:
        raise _Refused(f"holds no number from 0 to 10^12 for {name}")
    return number


def _day(text: str, last_day: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _Refused("needs its date as 2026-01-31") from None
    if not FIRST_DAY <= day <= last_day:
        raise _Refused(f"needs a date between {FIRST_DAY} and tomorrow")
    return day


def _hour(text: str) -> int:
    if not (_HOUR.fullmatch(text) and int(text) <= 23):
        raise _Refused("needs its hour as a number from 0 to 23")
    return int(text)
