"""A real terminal with a program in it: tmux where there is one, else a pty of our own.

Owns the clean-up: closing a terminal hangs up on what runs in it, as closing a window does.
"""

import fcntl
import os
import pty
import shlex
import shutil
import signal
import struct
import subprocess
import termios
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

import anyio
import psutil
import pyte

from tests.support.patience import PATIENCE_S

COLUMNS, LINES = 120, 40
LOOK_EVERY_S = 0.1


class Terminal(Protocol):
    """What a person sees and types."""

    def text(self) -> str:
        """What stands on the screen."""

    def type(self, keys: str) -> None:
        """Press these keys."""

    def close(self) -> None:
        """Close the window."""


class TmuxTerminal:
    """A window of a tmux server that nobody else uses."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._tmux = ["tmux", "-L", f"engarde-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
        start = [
            "new-session",
            "-d",
            "-x",
            str(COLUMNS),
            "-y",
            str(LINES),
            "exec " + shlex.join(command),
        ]
        self._run("set-option", "-g", "remain-on-exit", "on", ";", *start, environ=environ)

    def text(self) -> str:
        """What stands on the screen."""
        return self._run("capture-pane", "-p")

    def type(self, keys: str) -> None:
        """Press these keys."""
        self._run("send-keys", "-l", keys)

    def close(self) -> None:
        """Close the window."""
        with suppress(subprocess.CalledProcessError):
            self._run("kill-server")

    def _run(self, *words: str, environ: Mapping[str, str] | None = None) -> str:
        start = ["start-server", ";"] if environ is not None else []
        done = subprocess.run(
            [*self._tmux, *start, *words], env=environ, check=True, capture_output=True, text=True
        )
        return done.stdout


class PtyTerminal:
    """A pseudo-terminal, with a screen of its own."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), {**environ, "TERM": "xterm-256color"})  # noqa: S606
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        os.set_blocking(self._master, False)

    def text(self) -> str:
        """What stands on the screen."""
        with suppress(BlockingIOError, OSError):
            while piece := os.read(self._master, 65_536):
                self._stream.feed(piece)
        return "\n".join(self._screen.display)

    def type(self, keys: str) -> None:
        """Press these keys."""
        os.write(self._master, keys.encode())

    def close(self) -> None:
        """Close the window."""
        os.close(self._master)


@contextmanager
def terminal(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[Terminal]:
    """A terminal in which a command runs; whatever ran in it is ended with it."""
    kind = TmuxTerminal if shutil.which("tmux") else PtyTerminal
    opened = kind(command, environ)
    try:
        yield opened
    finally:
        with suppress(OSError):
            opened.close()


async def shown(terminal: Terminal, words: str, *, limit_s: float = PATIENCE_S) -> str:
    """Wait until words stand on the screen, and give all that stands there.

    Raises:
        AssertionError: They never did.
    """
    text = ""
    with anyio.move_on_after(limit_s):
        while words not in (text := terminal.text()):
            await anyio.sleep(LOOK_EVERY_S)
        return text
    raise AssertionError(f"{words!r} does not stand on the screen:\n{text}")


def processes(*words: str) -> list[psutil.Process]:
    """The processes whose commands have all of these words."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if all(word in command for word in words):
            found.append(process)
    return found


def hang(process: psutil.Process) -> None:
    """Let a process do nothing any more, without an end."""
    process.send_signal(signal.SIGSTOP)
