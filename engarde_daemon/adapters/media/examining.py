"""Files examined where that can harm nobody: each in a process of its own.

Owns the deadline of such a process, the bound on what is read from it, and its empty environment.
A process that dies, whatever of, says only that its file cannot be read.
"""

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

import anyio
import msgspec
from anyio.abc import AnyByteReceiveStream

from engarde_daemon.adapters.media.objects import ObjectMediaStore
from engarde_daemon.adapters.media.orders import Order, Verdict
from engarde_daemon.domain.errors import Corrupt
from engarde_daemon.domain.outside_text import one_line
from engarde_daemon.ports.media import Case, Finding, Span

ANSWER_BYTES_MAX = 1024 * 1024
FAILURE_CHARACTERS = 300
END_S = 5.0
_WORKER = "engarde_daemon.adapters.media.worker"


class ExaminationLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one file may cost."""

    pixels_max: int
    memory_bytes: int
    seconds: float


class ProcessExaminer:
    """The `Examiner` port; what is not on this machine is copied to `spool` for the time."""

    def __init__(self, store: ObjectMediaStore, spool: Path, limits: ExaminationLimits) -> None:
        self._store = store
        self._spool = spool
        self._limits = limits

    async def examine(self, case: Case) -> Finding:
        """See `Examiner.examine`."""
        async with self._copy_of(case) as path:
            return await self._look(path, case)

    @asynccontextmanager
    async def _copy_of(self, case: Case) -> AsyncIterator[Path]:
        here = self._store.local_path(case.storage_path)
        if here is not None:
            if not await anyio.Path(here).is_file():
                raise Corrupt("A media file is not in its store.")
            yield here
            return
        self._spool.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._spool) as folder:
            path = Path(folder) / "file"
            async with await anyio.open_file(path, "wb") as file:
                async for piece in self._store.get(
                    case.storage_path, Span(0, case.file_size_bytes)
                ):
                    await file.write(piece)
            yield path

    async def _look(self, path: Path, case: Case) -> Finding:
        limits = self._limits
        order = Order(
            path=str(path),
            mime_type=case.mime_type,
            pixels_max=limits.pixels_max,
            memory_bytes=limits.memory_bytes,
            processor_s=max(1, round(limits.seconds)),
        )
        command = [sys.executable, "-I", "-m", _WORKER, msgspec.json.encode(order).decode()]
        try:
            with anyio.fail_after(limits.seconds):
                answer = await _answer_of(command)
        except TimeoutError:
            return Finding(failure="Reading the file took more time than a file may take.")
        finding = None if answer is None else finding_in(answer)
        return finding or Finding(failure=f"The file cannot be read as {case.mime_type}.")


async def _answer_of(command: list[str]) -> bytes | None:
    """What the process wrote, or None if it failed."""
    with anyio.CancelScope(shield=True):  # or a process that nobody knows would be left behind
        process = await anyio.open_process(
            command, stdin=DEVNULL, stderr=DEVNULL, env={"PATH": os.defpath}
        )
    try:
        answer = await _read(process.stdout) if process.stdout else None
        return answer if answer is not None and await process.wait() == 0 else None
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(END_S):
            if process.returncode is None:
                process.kill()
            await process.aclose()


async def _read(output: AnyByteReceiveStream) -> bytes | None:
    answer = bytearray()
    async for chunk in output:
        answer += chunk
        if len(answer) > ANSWER_BYTES_MAX:
            return None
    return bytes(answer)


def finding_in(answer: bytes) -> Finding | None:
    """What a process found, None where it does not say: whatever it opened may speak for it."""
    line, _, thumbnail = answer.partition(b"\n")
    try:
        verdict = msgspec.json.decode(line, type=Verdict)
    except (ValueError, RecursionError):
        return None
    failure = None if verdict.failure is None else one_line(verdict.failure, FAILURE_CHARACTERS)
    return Finding(properties=verdict.properties, thumbnail=thumbnail or None, failure=failure)
