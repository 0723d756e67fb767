"""The dashboard's process: how it is started, alone or beside a daemon in the same terminal.

Owns the distance between the two. The dashboard is another process and a client like any other, so
whatever becomes of it or of its terminal changes nothing for the daemon.
"""

import contextlib
import os
import signal
import sys
import termios
from collections.abc import Iterator
from importlib.util import find_spec

import anyio
import msgspec
from anyio.abc import Process

from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.cli.recovery.work import find_operators_door
from engarde_daemon.cli.transfer.door import Door
from engarde_daemon.config import Settings

LEAVE_LIMIT_S = 3.0
LOG_FILE = "engarde.log"
_WHOLE_SCREEN_AGAIN = "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l"


def show(settings: Settings, *, url: str | None, key: str | None, light: bool) -> None:
    """Become the dashboard.

    Raises:
        CannotStartError: Nobody said where the daemon is, or with which key to ask it.
    """
    door = find_operators_door(settings, url, key)
    command = [*_command(door), *(["--light"] if light else [])]
    os.execve(command[0], command, _environment(door))  # noqa: S606 - our own program


def serve(settings: Settings, *, url: str | None, listen: str, light: bool) -> None:
    """Become the server of the dashboard for browsers; it has no key, visitors bring theirs.

    Raises:
        CannotStartError: What it is made of is not installed.
    """
    if find_spec("textual_serve") is None:
        raise CannotStartError(
            "The dashboard for browsers needs the extra `web`: pip install 'engarde-daemon[web]'."
        )
    where = ["--url", url or _noted_url(settings), "--listen", listen]
    command = [sys.executable, "-P", "-m", "tui.web", *where, *(["--light"] if light else [])]
    environment = {name: text for name, text in os.environ.items() if name != "ENGARDE_KEY"}
    os.execve(command[0], command, environment)  # noqa: S606 - our own program


def log_to_file(settings: Settings) -> Settings:
    """The same settings, with the log in a file: the terminal is the dashboard's."""
    if settings.log.file:
        return settings
    file = str(settings.storage.path / LOG_FILE)
    return msgspec.structs.replace(settings, log=msgspec.structs.replace(settings.log, file=file))


async def accompany(settings: Settings) -> None:
    """Show the dashboard in the daemon's terminal until it is left or the daemon ends."""
    _outlive_terminal()
    try:
        door = find_operators_door(
            settings, settings.server.base_url, os.environ.get("ENGARDE_KEY")
        )
    except CannotStartError as error:
        _say(f"No dashboard: {error}")
        return
    with _terminal_kept():
        process = await anyio.open_process(
            _command(door), stdin=None, stdout=None, stderr=None, env=_environment(door)
        )
        try:
            await process.wait()
        finally:
            with anyio.CancelScope(shield=True):
                await _end(process)
    _say(
        "The dashboard was left; the daemon runs on. `engarde tui` opens it again, Ctrl-C stops it."
    )


def _outlive_terminal() -> None:
    # A handler, not SIG_IGN, which the dashboard would inherit and then outlive its terminal, too.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with anyio.move_on_after(LEAVE_LIMIT_S):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()


@contextlib.contextmanager
def _terminal_kept() -> Iterator[None]:
    try:
        before = termios.tcgetattr(sys.stdin)
    except (termios.error, ValueError):
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)
            sys.stdout.write(_WHOLE_SCREEN_AGAIN)
            sys.stdout.flush()


def _noted_url(settings: Settings) -> str:
    try:
        return find_operators_door(settings, None, None).base_url
    except CannotStartError:
        return settings.server.base_url


def _command(door: Door) -> list[str]:
    # -P: a folder called `tui` where the operator happens to stand is not ours.
    return [sys.executable, "-P", "-m", "tui", "--url", door.base_url]


def _environment(door: Door) -> dict[str, str]:
    return {**os.environ, "ENGARDE_KEY": door.api_key}


def _say(words: str) -> None:
    with contextlib.suppress(OSError):
        print(words, flush=True)
