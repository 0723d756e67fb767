"""An export into a file that is whole or not there.

Owns the promise that `FILE` appears only with its last line, on the disk; until then everything
lies in `FILE.part`, from which an interrupted export goes on.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import msgspec

from engarde_daemon.api.transfer.cutting import Cutter
from engarde_daemon.api.transfer.lines import last_line, read_last_line
from engarde_daemon.cli.transfer.door import Door, Interrupted, check, patiently, translated

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
        Rejected: It will not do this.
        OSError: The file cannot be written.
    """
    part = file.with_name(f"{file.name}.part")
    with part.open("a+b") as out, door.opened() as client:
        writing = _Writing(out, advance)
        if resume:
            writing.go_on()
        else:
            out.truncate(0)
        patiently(lambda: writing.fetch(client, brand_id), progress=lambda: writing.items)
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


class _Writing:
    """A file on its way: what it holds, and where the next line comes from."""

    def __init__(self, out: BinaryIO, advance: Advance) -> None:
        self.items = 0
        self._out = out
        self._advance = advance
        self._digest = hashlib.sha256()
        self._last_id: str | None = None

    def go_on(self) -> None:
        """Take over the whole lines that an earlier export left, and drop half a one."""
        self._out.seek(0)
        kept = 0
        for line in self._out:
            if not line.endswith(b"\n") or read_last_line(line) is not None:
                break
            self._note(line)
            kept += len(line)
        self._out.truncate(kept)

    def fetch(self, client: httpx.Client, brand_id: str | None) -> None:
        """Fetch what is missing.

        Raises:
            Interrupted: The stream ended before its last line, or is damaged.
            Rejected: The daemon will not do this.
        """
        query = {"brand_id": brand_id, "after": self._last_id}
        given = {name: value for name, value in query.items() if value is not None}
        cutter, before = Cutter(LINE_BYTES_MAX), self.items
        with translated(), client.stream("GET", "/api/content/export", params=given) as answer:
            check(answer)
            for chunk in answer.iter_bytes():
                for line in cutter.feed(chunk):
                    last = read_last_line(line or b"")
                    if last is None:
                        self._write((line or b"") + b"\n")
                    elif (last.items, last.sha256) == (self.items - before, cutter.checksum):
                        return
                    else:
                        raise Interrupted("what came does not match its checksum")
        raise Interrupted("the export was cut off")

    def finish(self, file: Path) -> Exported:
        """Write the last line of the whole file, and bring it to the disk."""
        sha256 = self._digest.hexdigest()
        self._out.write(last_line(self.items, sha256))
        self._out.flush()
        os.fsync(self._out.fileno())
        size = self._out.tell()
        return Exported(file=str(file), items=self.items, bytes=size, sha256=sha256)

    def _write(self, line: bytes) -> None:
        self._out.write(line)
        self._note(line)

    def _note(self, line: bytes) -> None:
        self._digest.update(line)
        self._last_id = _ID.decode(line).id
        self.items += 1
        self._advance(1)
