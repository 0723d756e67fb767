"""An import out of a file, a piece at a time.

Owns the order: the file is read through and proved before anything of it is sent. Each piece is
sent until it is answered, which may be more than once, because the daemon takes in nothing twice.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec

from engarde_daemon.api.transfer.cutting import Cutter
from engarde_daemon.api.transfer.lines import MEDIA_TYPE, read_last_line
from engarde_daemon.cli.transfer.door import Door, check, decoded, patiently, translated
from engarde_daemon.domain.errors import Rejected

PIECE_LINES = 500
PIECE_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
ERRORS_MAX = 100

Advance = Callable[[int], None]
Checksum = Literal["right", "missing"]


class _Told(msgspec.Struct, frozen=True):
    """What the daemon answers for a piece."""

    items: int
    imported: int
    unchanged: int
    failed: int
    detached: int
    errors: list[dict[str, Any]]


class Imported(msgspec.Struct, kw_only=True):
    """What became of the items of a file; see the daemon's answer to an import."""

    items: int = 0
    imported: int = 0
    unchanged: int = 0
    failed: int = 0
    detached: int = 0
    checksum: Checksum = "missing"
    errors: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def add(self, told: _Told, *, lines_before: int) -> None:
        """Add what the daemon answered for a piece."""
        for name in ("items", "imported", "unchanged", "failed", "detached"):
            setattr(self, name, getattr(self, name) + getattr(told, name))
        for error in told.errors[: ERRORS_MAX - len(self.errors)]:
            self.errors.append({**error, "line": error["line"] + lines_before})


class _Piece(msgspec.Struct, frozen=True):
    lines_before: int
    content: bytes


def prove(file: Path) -> Checksum:
    """Read a file through, and say whether its last line proves the others.

    Raises:
        Rejected: It does not: the file is damaged.
        OSError: The file cannot be read.
    """
    cutter, items = Cutter(CHUNK_BYTES * 256), 0
    last, checksum = None, ""
    for line in _lines(file, cutter):
        found = read_last_line(line)
        if found is None:
            items += bool(line.strip())
        else:
            last, checksum = found, cutter.checksum
    if last is None:
        return "missing"
    if (last.items, last.sha256) != (items, checksum):
        raise Rejected(
            f"{file} is damaged: its {items} items do not match its last line. Export it again."
        )
    return "right"


def import_(door: Door, file: Path, *, brand_id: str | None, advance: Advance) -> Imported:
    """Send a file to a daemon.

    Raises:
        CannotStartError: The daemon does not answer.
        Rejected: It will not do this, or the file is damaged.
        OSError: The file cannot be read.
    """
    told = Imported(checksum=prove(file))
    query = {} if brand_id is None else {"brand_id": brand_id}
    with door.opened() as client:
        for piece in _pieces(file):
            answer = patiently(partial(_send, client, piece, query), progress=lambda: None)
            told.add(answer, lines_before=piece.lines_before)
            advance(len(piece.content))
    return told


def _send(client: httpx.Client, piece: _Piece, query: dict[str, str]) -> _Told:
    with translated():
        answer = client.post(
            "/api/content/import",
            params=query,
            content=piece.content,
            headers={"Content-Type": MEDIA_TYPE},
        )
    check(answer)
    return decoded(answer, _Told)


def _pieces(file: Path) -> Iterator[_Piece]:
    cutter = Cutter(CHUNK_BYTES * 256)
    held: list[bytes] = []
    size = before = 0
    for line in _lines(file, cutter):
        if read_last_line(line) is None:
            held.append(line + b"\n")
            size += len(line)
        if len(held) >= PIECE_LINES or size >= PIECE_BYTES:
            yield _Piece(before, b"".join(held))
            held, size, before = [], 0, cutter.number
    if held:
        yield _Piece(before, b"".join(held))


def _lines(file: Path, cutter: Cutter) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield from (line or b"" for line in cutter.feed(chunk))
    yield from (line or b"" for line in cutter.end())
