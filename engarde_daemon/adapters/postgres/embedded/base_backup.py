"""A copy of the server's data directory while it serves, and a server made of such a copy.

Owns the rule that a copy is taken by PostgreSQL's own pg_basebackup, with the log that makes it
consistent, and proved by pg_verifybackup before anyone relies on it.
https://www.postgresql.org/docs/current/app-pgbasebackup.html
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread
from anyio.abc import ByteReceiveStream, Process

from engarde_daemon.adapters.postgres.embedded import instance
from engarde_daemon.adapters.postgres.embedded.account import Account, choose_account
from engarde_daemon.adapters.postgres.embedded.binaries import Binaries, find_binaries
from engarde_daemon.adapters.postgres.embedded.cluster import made_by
from engarde_daemon.adapters.postgres.embedded.errors import EmbeddedPostgresError
from engarde_daemon.adapters.postgres.embedded.launch import ENVIRONMENT, Launcher

SILENCE_LIMIT_S = 600.0
_WORDS_MAX = 1000
_DONE_KB = re.compile(rb"(\d+)/\d+ kB")


async def copy_server(
    root: Path, target: Path, *, dsn: str, advance: Callable[[int], object]
) -> None:
    """Copy the data directory of the running server in `root` into a new directory, and prove it.

    Raises:
        EmbeddedPostgresError: It cannot be copied, or the copy is not whole.
    """
    binaries = await find_binaries(None, major=made_by(instance.Instance(root).data))
    told = ["--checkpoint=fast", "--wal-method=stream", "--no-sync", "--progress"]
    copying = [_program(binaries, "pg_basebackup"), "-D", str(target), "-d", dsn, *told]
    await _run(copying, target.parent, _Kilobytes(advance).hear)
    proving = [_program(binaries, "pg_verifybackup"), "--quiet", str(target)]
    await _run(proving, target.parent, lambda _: None)


async def put_back(copy: Path, root: Path, *, folders: Sequence[str]) -> None:
    """Make a copy the data directory of a server that does not exist yet.

    `folders` are all that the copy had: PostgreSQL needs empty ones, and the programs and stores by
    which backups travel may have left them out, as they may have changed modes.

    Raises:
        EmbeddedPostgresError: There is no user to run it as.
        OSError: It cannot be written.
    """
    places = instance.Instance(root)
    account = choose_account(places.data, None)
    instance.make_root(root, account)
    copying = partial(_copy_as, copy, places.data, account, folders=folders)
    await to_thread.run_sync(copying, limiter=anyio.CapacityLimiter(1))


def _copy_as(copy: Path, target: Path, account: Account, *, folders: Sequence[str]) -> None:
    shutil.copytree(copy, target, symlinks=True)
    target.chmod(0o700)
    for folder in folders:
        (target / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    if account.differs:
        for place, inner, files in os.walk(target):
            for name in ["", *inner, *files]:
                os.chown(Path(place, name), account.uid, account.gid, follow_symlinks=False)


def _program(binaries: Binaries, name: str) -> str:
    program = binaries.directory / name
    if not program.exists():
        raise EmbeddedPostgresError(
            f"PostgreSQL {binaries} has no {name}: install its client programs."
        )
    return str(program)


async def _run(command: Sequence[str], place: Path, hear: Callable[[bytes], None]) -> None:
    # Killed ourselves, we leave nobody who goes on writing.
    ourselves = Account(None, os.geteuid(), os.getegid())
    launcher = Launcher(account=ourselves, dies_with_parent=True)
    process = await anyio.open_process(
        launcher.command(command, directory=place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    async with process:
        words = await _listen(process, hear)
        code = await process.wait()
    if code != 0:
        name, last = Path(command[0]).name, words.decode(errors="replace").strip()
        raise EmbeddedPostgresError(f"{name} failed; it said last:\n{last}")


async def _listen(process: Process, hear: Callable[[bytes], None]) -> bytes:
    """Hand on what is said until the end, and keep the last of it."""
    words, stream = b"", process.stderr
    assert isinstance(stream, ByteReceiveStream)  # noqa: S101 - a pipe, as `open_process` makes it
    while True:
        try:
            with anyio.fail_after(SILENCE_LIMIT_S):
                said = await stream.receive()
        except anyio.EndOfStream:
            return words
        except TimeoutError as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL did not go on with its backup for {SILENCE_LIMIT_S:g} s."
            ) from error
        hear(said)
        words = (words + said)[-_WORDS_MAX:]


class _Kilobytes:
    """Reads how far pg_basebackup is from its lines such as `22887/22887 kB (100%)`."""

    def __init__(self, advance: Callable[[int], object]) -> None:
        self._advance = advance
        self._done = 0

    def hear(self, said: bytes) -> None:
        for match in _DONE_KB.finditer(said):
            done = int(match[1])
            self._advance((done - self._done) * 1024)
            self._done = done
