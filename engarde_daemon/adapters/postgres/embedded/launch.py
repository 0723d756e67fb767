"""How programs of PostgreSQL are started: as which user, in which environment, for how long.

Invariant: no child sees the daemon's environment. Its LANG may name a locale that was never
generated, and PG* variables would redirect the server.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import anyio
import msgspec

from engarde_daemon.adapters.postgres.embedded import trampoline
from engarde_daemon.adapters.postgres.embedded.account import Account
from engarde_daemon.adapters.postgres.embedded.process import WatchedProcess

ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
_BRIEF_LIMIT_S = 10.0


class Launcher(msgspec.Struct, frozen=True, kw_only=True):
    """Starts programs as the server's user."""

    account: Account
    dies_with_parent: bool
    """Works on Linux only, and is bound to the *thread* that spawns (prctl(2)): the event loop's."""

    def command(self, program: Sequence[str | Path], *, directory: Path) -> list[str]:
        """The command line that runs the program in the directory, through the trampoline if needed."""
        plain = [str(word) for word in program]
        if not (self.account.differs or self.dies_with_parent):
            return plain
        parent = os.getpid() if self.dies_with_parent else 0
        # -I -S: neither the environment nor site-packages may run code while this is still root
        python = [sys.executable, "-I", "-S", trampoline.__file__]
        numbers = [self.account.uid, self.account.gid, parent]
        return [*python, *map(str, numbers), str(directory), *plain]

    def spawn(
        self, program: Sequence[str | Path], *, directory: Path, output: Path, lock: int
    ) -> WatchedProcess:
        """Start a long-lived program that holds `lock` open and writes to the file `output`."""
        with _log(output) as log:
            child = subprocess.Popen(  # noqa: S603 - no shell, and no word comes from outside
                self.command(program, directory=directory),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                cwd="/",
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C is for the daemon, which stops its server itself
            )
        return WatchedProcess(child.pid, child=child)

    async def run(
        self, program: Sequence[str | Path], *, directory: Path
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program that ends by itself within seconds."""
        return await run_briefly(self.command(program, directory=directory))


def _log(path: Path) -> BinaryIO:
    """Open an empty log that only we and the server can use: it may quote statements."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


async def run_briefly(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command that ends by itself within seconds and collect what it prints.

    Raises:
        TimeoutError: it did not end.
        OSError: it could not be executed.
    """
    with anyio.fail_after(_BRIEF_LIMIT_S):
        return await anyio.run_process(
            command, check=False, env=ENVIRONMENT, cwd="/", start_new_session=True
        )
