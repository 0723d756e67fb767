"""The requests themselves, encoded before the clock starts.

An encoder owns the promise that no two write requests of a run carry the same body: the
connections count in steps of the number of connections, each from its own first serial.
"""

import itertools
import operator
import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias, TypeVar

import msgspec

from bench.load.corpus import SERIAL_DIGITS, marketing_text, serial
from bench.load.order import LoadOrder, Traffic

_GAP = "\x00" * SERIAL_DIGITS
_GAP_IN_JSON = msgspec.json.encode(_GAP)[1:-1]
_TEXTS = 64
_Template: TypeAlias = tuple[bytes, bytes]
_SEED = 20260125
_T = TypeVar("_T")


def requests_of(order: LoadOrder, connection: int) -> Iterator[bytes]:
    """The endless requests of one connection, ready to be written to its socket."""
    make = {Traffic.CREATE: _creates, Traffic.PATCH: _patches, Traffic.FETCH: _fetches}
    return make[order.traffic](order, connection)


def _creates(order: LoadOrder, connection: int) -> Iterator[bytes]:
    keys = _mine(order.keys, order, connection) if order.in_turn else [_key(order, connection)]
    heads = itertools.cycle([_head("POST", "/api/content", key) for key in keys])
    bodies = _unique(_templates(_create_document, order.body_bytes), order, connection)
    return map(operator.add, heads, bodies)


def _patches(order: LoadOrder, connection: int) -> Iterator[bytes]:
    """Each connection changes items of its own, so that no two writers meet on one item."""
    if len(order.ids) < order.connections:
        raise ValueError("a patch load needs at least as many ids as connections")
    key, mine = _key(order, connection), order.ids[connection :: order.connections]
    heads = itertools.cycle([_head("PATCH", f"/api/content/{item}", key) for item in mine])
    bodies = _unique(_templates(_patch_document, order.body_bytes), order, connection)
    return map(operator.add, heads, bodies)


def _fetches(order: LoadOrder, connection: int) -> Iterator[bytes]:
    if order.in_turn:
        asked = list(zip(order.keys, itertools.cycle(order.paths), strict=False))
        heads = [_head("GET", path, key) for key, path in _mine(asked, order, connection)]
        return itertools.cycle([head + b"\r\n" for head in heads])
    key = _key(order, connection)
    mine = _mine(order.paths, order, connection)
    return itertools.cycle([_head("GET", path, key) + b"\r\n" for path in mine])


def _unique(templates: list[_Template], order: LoadOrder, connection: int) -> Iterator[bytes]:
    serials = itertools.count(order.first_serial + connection, order.connections)
    for (before, after), number in zip(itertools.cycle(templates), serials, strict=False):
        yield b"".join((before, serial(number), after))


@cache
def _templates(document: Callable[[str], dict[str, object]], body_bytes: int) -> list[_Template]:
    """Encoded documents with their length header, cut in two where the serial number goes."""
    rng = random.Random(_SEED)
    cut = []
    for _ in range(_TEXTS):
        body = _GAP + marketing_text(rng, body_bytes - SERIAL_DIGITS)
        before, after = msgspec.json.encode(document(body)).split(_GAP_IN_JSON)
        length = len(before) + SERIAL_DIGITS + len(after)
        headers = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % length
        cut.append((headers + before, after))
    return cut


def _create_document(body: str) -> dict[str, object]:
    return {
        "title": "Summer Product Launch Campaign",
        "body": body,
        "type": "post",
        "platforms": ["instagram", "facebook"],
        "tags": ["summer", "launch", "product"],
        "hashtags": ["#SummerLaunch", "#NewProduct"],
        "mentions": ["@brandpartner"],
        "status": "draft",
        "metadata": {"target_audience": "millennials"},
    }


def _patch_document(body: str) -> dict[str, object]:
    return {
        "title": "Updated Summer Campaign",
        "body": body,
        "status": "published",
        "tags": ["summer", "launch", "product", "2026"],
    }


def _mine(all_of_them: list[_T], order: LoadOrder, connection: int) -> list[_T]:
    """A connection's share; where there are more connections than shares, they share them."""
    return all_of_them[connection % len(all_of_them) :: order.connections]


def _key(order: LoadOrder, connection: int) -> str:
    return order.keys[connection % len(order.keys)]


def _head(method: str, path: str, key: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nhost: bench\r\nx-api-key: {key}\r\n".encode()
