"""An export into a file that is whole or not there.

Owns the promise that `FILE` appears only with its last line, on the disk; until then everything
lies in `FILE.part`, from which an interrupted export goes on. One export at a time writes there.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import httpx
import msgspec

from engarde_daemon.api.transfer.cutting import Cutter
from engarde_daemon.api.transfer.lines import MEDIA_TYPE, last_line, read_last_line
from engarde_daemon.cli.transfer.door import Door, Interrupted, check, patiently, translated
from engarde_daemon.domain.errors import Rejected

LINE_BYTES_MAX = 256 * 1024 * 1024

Advance = Callable[[int], None]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    file: str
    items: int
    bytes: int
    sha256: str


class _Named(msgspec.Struct, frozen=True):
    id: str


_ID = msgspec.json.Decoder(_Named)


def export(
    door: Door, file: Path, *, brand_id: str | None, resume: bool, advance: Advance
) -> Exported:
    """Write everything of a brand or of the tenant into a file.

    Raises:
        CannotStartError: The daemon does not answer.
        Rejected: It will not do this, or somebody else writes this file.
        OSError: The file cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    with _claimed(part) as out, door.opened() as client:
        writing = _Writing(out, advance)
        if resume:
            writing.go_on()
        else:
            out.truncate(0)
        patiently(
            lambda: writing.fetch(client, brand_id),
            progress=lambda: writing.items,
            go_on="repeat the command with --resume",
        )
        done = writing.finish(file)
        part.rename(file)
    return done


def count_items(door: Door, brand_id: str | None) -> int | None:
    """About how many items there are, for a progress bar; None where nobody says."""
    path, query = "/api/content/quota", {}
    if brand_id is not None:
        path, query = "/api/content", {"brand_id": brand_id, "pageSize": "1"}
    try:
        with door.opened() as client:
            told: dict[str, Any] = client.get(path, params=query).json()
            if brand_id is not None:
                return int(told["pagination"]["total"])
            return int(told["usage"]["total_content_items"])
    except (httpx.TransportError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _claimed(part: Path) -> Iterator[BinaryIO]:
    """The file, open for one export alone: the lines of two would be mixed, each proved for itself.

    Raises:
        Rejected: Another export writes it.
    """
    with part.open("a+b") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(part) from None
        if not _is_still(part, out):  # whoever had it has just given it its name
            raise _taken(part)
        yield out


def _is_still(part: Path, out: BinaryIO) -> bool:
    try:
        return os.path.samestat(part.stat(), os.fstat(out.fileno()))
    except FileNotFoundError:
        return False


def _taken(part: Path) -> Rejected:
    return Rejected(f"Another export writes {part}: wait for its end, or name another file.")


class _DamagedError(Exception):
    """What came is not what was sent."""


class _Mark(NamedTuple):
    """What a file held at a moment to which one may have to return."""

    bytes: int
    items: int
    last_id: str | None
    digest: Any


class _Writing:
    """A file on its way: what it holds, and where the next line comes from."""

    def __init__(self, out: BinaryIO, advance: Advance) -> None:
        self.items = 0
        self._out = out
        self._advance = advance
        self._digest = hashlib.sha256()
        self._last_id: str | None = None

    def go_on(self) -> None:
        """Take over the whole lines that an earlier export left, and drop half a one.

        Raises:
            Rejected: It left something else.
        """
        self._out.seek(0)
        kept = 0
        for line in self._out:
            if not line.endswith(b"\n") or read_last_line(line) is not None:
                break
            try:
                self._note(line)
            except msgspec.DecodeError as error:
                raise Rejected(
                    f"{self._out.name} holds something else than an export. Without --resume it is "
                    "written anew."
                ) from error
            kept += len(line)
        self._out.truncate(kept)

    def fetch(self, client: httpx.Client, brand_id: str | None) -> None:
        """Fetch what is missing; of what comes damaged nothing is kept.

        Raises:
            Interrupted: The stream ended before its last line, or is damaged.
            Rejected: The daemon will not do this.
        """
        query = {"brand_id": brand_id, "after": self._last_id}
        given = {name: value for name, value in query.items() if value is not None}
        with translated(), client.stream("GET", "/api/content/export", params=given) as answer:
            check(answer, MEDIA_TYPE)
            before = self._mark()
            try:
                self._take(answer.iter_bytes())
            except (_DamagedError, msgspec.DecodeError) as error:
                self._return_to(before)
                raise Interrupted("what came does not match its checksum") from error

    def finish(self, file: Path) -> Exported:
        """Write the last line of the whole file, and bring it to the disk."""
        sha256 = self._digest.hexdigest()
        self._out.write(last_line(self.items, sha256))
        self._out.flush()
        os.fsync(self._out.fileno())
        size = self._out.tell()
        return Exported(file=str(file), items=self.items, bytes=size, sha256=sha256)

    def _take(self, chunks: Iterable[bytes]) -> None:
        cutter, before = Cutter(LINE_BYTES_MAX), self.items
        for chunk in chunks:
            for line in cutter.feed(chunk):
                last = read_last_line(line or b"")
                if last is None:
                    self._write((line or b"") + b"\n")
                elif (last.items, last.sha256) == (self.items - before, cutter.checksum):
                    return
                else:
                    raise _DamagedError
        raise Interrupted("the export was cut off")

    def _write(self, line: bytes) -> None:
        self._note(line)
        self._out.write(line)

    def _note(self, line: bytes) -> None:
        self._last_id = _ID.decode(line).id
        self._digest.update(line)
        self.items += 1
        self._advance(1)

    def _mark(self) -> _Mark:
        end = self._out.seek(0, os.SEEK_END)
        return _Mark(end, self.items, self._last_id, self._digest.copy())

    def _return_to(self, mark: _Mark) -> None:
        self._out.truncate(mark.bytes)
        self.items, self._last_id, self._digest = mark.items, mark.last_id, mark.digest
