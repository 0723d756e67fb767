"""How a command reaches a running daemon over HTTP, and how long it keeps trying.

Owns the patience: a daemon that restarts, or is too busy, is asked again with growing pauses; only
when it made no progress for all of them does the command give up.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
import msgspec

from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import Rejected

T = TypeVar("T")

CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 60.0
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
_BUSY = frozenset({408, 429, 502, 503, 504})


class Interrupted(Exception):
    """The daemon did not answer, or not to the end; it may the next time."""

    def __init__(self, reason: str, after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.after_s = after_s


class Door(msgspec.Struct, frozen=True):
    """Where a daemon listens, and the key with which it is asked."""

    base_url: str
    api_key: str

    def __repr__(self) -> str:
        """Keep the key out of logs and tracebacks."""
        return f"Door({self.base_url!r})"

    @contextmanager
    def opened(self) -> Iterator[httpx.Client]:
        """A client that speaks with the daemon."""
        with httpx.Client(
            base_url=self.base_url,
            headers={"X-API-Key": self.api_key},
            timeout=httpx.Timeout(ANSWER_LIMIT_S, connect=CONNECT_LIMIT_S),
        ) as client:
            yield client


def find_door(settings: Settings, url: str | None, key: str | None) -> Door:
    """What was given, and for the rest what the first start of the daemon wrote down.

    Raises:
        CannotStartError: Something is missing, and there are no such notes.
    """
    if url and key:
        return Door(url, key)
    file = settings.storage.credentials_file
    try:
        noted = msgspec.json.decode(file.read_bytes(), type=Door)
    except (OSError, msgspec.DecodeError) as error:
        raise CannotStartError(
            f"There are no credentials in {file}: say where the daemon listens with --url and "
            "give an administrator's key with --key or in ENGARDE_KEY."
        ) from error
    return Door(url or noted.base_url, key or noted.api_key)


def check(answer: httpx.Response) -> None:
    """Let a success pass.

    Raises:
        Interrupted: The daemon is too busy now.
        Rejected: It will not do this.
    """
    if answer.is_success:
        return
    answer.read()
    problem = _problem_in(answer)
    if answer.status_code in _BUSY:
        raise Interrupted(problem, _seconds(answer.headers.get("retry-after", "")))
    raise Rejected(f"The daemon answered {answer.status_code}: {problem}")


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the network does into `Interrupted`.

    Raises:
        Interrupted: The connection failed or ended early.
    """
    try:
        yield
    except httpx.TransportError as error:
        raise Interrupted(str(error) or type(error).__name__) from error


def patiently(
    attempt: Callable[[], T],
    *,
    progress: Callable[[], Any],
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Try until it works; the pauses begin anew whenever `progress` has moved on.

    Raises:
        CannotStartError: The daemon did not answer for the length of all pauses.
    """
    pauses, seen = iter(PAUSES_S), progress()
    while True:
        try:
            return attempt()
        except Interrupted as interruption:
            if progress() != seen:
                pauses, seen = iter(PAUSES_S), progress()
            pause_s = next(pauses, None)
            if pause_s is None:
                raise CannotStartError(
                    f"The daemon does not answer ({interruption}). What was done stays done: "
                    "repeat the command to go on."
                ) from interruption
            pause(max(pause_s, interruption.after_s))


def _problem_in(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])[:500]
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase


def _seconds(text: str) -> float:
    return min(float(text), PAUSES_S[-1]) if text.isdigit() else 0.0
