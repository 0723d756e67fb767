"""How a command reaches a running daemon over HTTP, and how long it keeps trying.

Owns the patience: a daemon that restarts, or is too busy, is asked again with growing pauses; only
when it made no progress for all of them does the command give up.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import Rejected

T = TypeVar("T")

CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 60.0
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
JSON = "application/json"
_BUSY = frozenset({408, 429, 502, 503, 504})
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})


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
        """A client that speaks with the daemon; to one on this machine it goes by no proxy.

        Raises:
            CannotStartError: The address is none.
        """
        try:
            client = httpx.Client(
                base_url=self.base_url,
                headers={"X-API-Key": self.api_key},
                timeout=httpx.Timeout(ANSWER_LIMIT_S, connect=CONNECT_LIMIT_S),
                trust_env=urlsplit(self.base_url).hostname not in _HERE,
            )
        except httpx.InvalidURL as error:
            raise CannotStartError(f"{self.base_url} is no address: {error}.") from error
        with client:
            yield client


def find_door(settings: Settings, url: str | None, key: str | None) -> Door:
    """What was given, and for the rest what the first start of the daemon wrote down.

    Raises:
        CannotStartError: Something is missing, and there are no such notes.
    """
    if url and key:
        return Door(url, key)
    noted = read_notes(settings, Door, "an administrator's")
    return Door(url or noted.base_url, key or noted.api_key)


def read_notes(settings: Settings, kind: type[T], whose: str) -> T:
    """What the first start of the daemon wrote down, as far as it is asked for.

    Raises:
        CannotStartError: There are no such notes, or they cannot be read.
    """
    file = settings.storage.credentials_file
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "they are damaged"
        raise CannotStartError(
            f"There are no credentials in {file} ({reason}): say where the daemon listens with --url "
            f"and give {whose} key with --key or in ENGARDE_KEY."
        ) from error


def check(answer: httpx.Response, media_type: str = JSON) -> None:
    """Let a success pass.

    Raises:
        Interrupted: The daemon is too busy now.
        Rejected: It will not do this, or it is something else that answers.
    """
    if answer.is_success:
        if answer.headers.get("content-type", "").partition(";")[0] != media_type:
            raise _strange(answer)
        return
    answer.read()
    problem = _problem_in(answer)
    if answer.status_code in _BUSY:
        raise Interrupted(problem, _seconds(answer.headers.get("retry-after", "")))
    raise Rejected(f"The daemon answered {answer.status_code}: {problem}")


def decoded(answer: httpx.Response, kind: type[T]) -> T:
    """What an answer says.

    Raises:
        Rejected: No daemon answers like this.
    """
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise _strange(answer) from error


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
    go_on: str = "repeat the command",
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
                    f"{go_on} to go on."
                ) from interruption
            pause(max(pause_s, interruption.after_s))


def _strange(answer: httpx.Response) -> Rejected:
    return Rejected(
        f"What answers at {answer.url.copy_with(raw_path=b'/')} is no daemon, or one of another "
        "version: look at --url."
    )


def _problem_in(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])[:500]
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase


def _seconds(text: str) -> float:
    return min(float(text), PAUSES_S[-1]) if text.isdigit() else 0.0
