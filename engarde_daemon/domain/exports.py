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
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

import msgspec

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
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2099, 12, 31)

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


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an export: an ad, and how it did, where the row says so."""

    asset: CampaignAsset
    figures: Figures | None


class ExportReader:
    """Reads an export in pieces; `number` is the row that was read last, from 1."""

    def __init__(self) -> None:
        self.number = 0
        self._records: _Records | _Objects | None = None
        self._head = b""

    def feed(self, chunk: bytes) -> Iterator[Row]:
        """The rows that end in this piece.

        Raises:
            Invalid: A row cannot be understood; the error names it.
        """
        if self._records is None:
            self._head = (self._head + chunk).removeprefix(codecs.BOM_UTF8).lstrip()
            if not self._head:
                return
            self._records = _Objects() if self._head[:1] in {b"{", b"["} else _Records()
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
                yield _row_of({_name_of(key): value for key, value in record.items()})
        except _Refused as refusal:
            raise Invalid([FieldError(f"row {max(self.number, 1)}", str(refusal))]) from None


class _Refused(Exception):
    """Why a row cannot be understood."""


class _Records:
    """Cuts CSV (RFC 4180) into rows: a line break between quotes ends none."""

    def __init__(self) -> None:
        self._columns: Sequence[str] = ()
        self._held = b""

    def feed(self, chunk: bytes) -> Iterator[Mapping[str, str]]:
        *lines, rest = (self._held + chunk).split(b"\n")
        held = b""
        for line in lines:
            held += line + b"\n"
            if held.count(b'"') % 2 == 0:
                yield from self._record(held)
                held = b""
        self._held = held + rest
        _bound(self._held)

    def end(self) -> Iterator[Mapping[str, str]]:
        yield from self._record(self._held)

    def _record(self, raw: bytes) -> Iterator[Mapping[str, str]]:
        cells = _cells(_text(raw)) if raw.strip() else []
        if len(cells) > COLUMNS_MAX:
            raise _Refused(f"has more than {COLUMNS_MAX} columns")
        if not self._columns:
            self._columns = cells
        elif cells:
            yield dict(zip(self._columns, cells, strict=False))


class _Objects:
    """Cuts JSON objects out of lines or a list of them."""

    def __init__(self) -> None:
        self._held = b""
        self._seen = 0
        self._depth = 0
        self._is_text = False

    def feed(self, chunk: bytes) -> Iterator[Mapping[str, Any]]:
        self._held += chunk
        while (end := self._end()) is not None:
            raw, self._held, self._seen = self._held[:end], self._held[end:], 0
            yield _object(raw[_between(raw) :])
        _bound(self._held)

    def end(self) -> Iterator[Mapping[str, Any]]:
        if self._held[_between(self._held) :]:
            raise _Refused("breaks off, or is no JSON object")
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


def _between(raw: bytes) -> int:
    found = _BETWEEN.match(raw)
    return found.end() if found else 0


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _Refused("is no JSON object") from None


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        raise _Refused("is no row of CSV") from None


def _bound(held: bytes) -> None:
    if len(held) > ROW_BYTES_MAX:
        raise _Refused(f"is longer than {ROW_BYTES_MAX:,} bytes")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise _Refused("is not UTF-8 text") from None


def _name_of(column: str) -> str:
    name = _NOT_A_WORD.sub("_", column.lower()).strip("_")
    return _NAMES.get(name, name)


def _row_of(cells: Mapping[str, Any]) -> Row:
    said = {name: value for name, value in cells.items() if value is not None}
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
        tags=tuple(_listed(said, "tags"))[:100],
        media=media,
    )
    return Row(asset=asset, figures=_figures(said, external_id))


def _figures(said: Mapping[str, Any], external_id: str) -> Figures | None:
    day = _word(said, "date")
    if not day:
        return None
    hour = _word(said, "hour")
    return Figures(
        external_id=external_id,
        day=_day(day),
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
    urls = _listed(said, "media_urls")
    names = _listed(said, "media_ids")
    if len(urls) > MEDIA_MAX or any(len(url) > URL_CHARACTERS for url in urls):
        raise _Refused(f"may name {MEDIA_MAX} files, by URLs of {URL_CHARACTERS} characters")
    return tuple(
        MediaReference(identity=names[place] if place < len(names) else url, url=url)
        for place, url in enumerate(urls)
    )


def _word(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name, "")
    if isinstance(value, (dict, list)):
        raise _Refused(f"holds no text for {name}")
    return str(value).replace("\x00", "").strip()


def _listed(said: Mapping[str, Any], name: str) -> list[str]:
    """Several values: a list in JSON, and in CSV a cell with spaces or semicolons between them."""
    value = said.get(name, [])
    if isinstance(value, list):
        return [str(one).replace("\x00", "").strip() for one in value]
    text = str(value).replace("\x00", "")
    between = r"[;,]" if name == "tags" else r"[;\s]+"
    return [part.strip() for part in re.split(between, text) if part.strip()]


def _number(said: Mapping[str, Any], name: str) -> Decimal:
    text = _word(said, name).replace(",", "").replace("--", "")
    try:
        number = Decimal(text or 0)
    except InvalidOperation:
        raise _Refused(f"holds no number for {name}") from None
    if number.is_nan():
        raise _Refused(f"holds no number for {name}")
    if not 0 <= number <= 10**12:
        raise _Refused(f"holds no number from 0 to 10^12 for {name}")
    return number


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _Refused("needs its date as 2026-01-31") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise _Refused(f"needs a date from {FIRST_DAY} to {LAST_DAY}")
    return day


def _hour(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 23):
        raise _Refused("needs its hour as a number from 0 to 23")
    return int(text)
