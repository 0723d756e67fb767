"""Structured logs: one JSON object a line, or colours for a person at a terminal.

Owns the promise that no secret is logged: values under names of secrets, and texts that look like
keys or tokens, are blotted out before anything is written.
"""

import logging
import os
import re
import secrets
import sys
from collections.abc import MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import structlog

from engarde_daemon.config import Settings
from engarde_daemon.recent_log import RecentLog

_SECRET_NAMES = frozenset(
    {"api_key", "authorization", "password", "secret", "token", "dsn", "cookie", "x-api-key"}
)
_SECRET_TEXT = re.compile(
    r"eg_[a-z2-7]{12}_\w+|eyJ[\w-]{10,}\.[\w.-]+|sk-[\w-]{12,}|://[^/\s:@]+:[^@\s]+@"
)
_BLOT = "[redacted]"
_LEVELS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}
_FOREIGN_CHARACTERS_MAX = 500
_HEAD = frozenset({"event", "level", "timestamp"})
_REQUEST = "request"

Event = MutableMapping[str, Any]


def configure(settings: Settings) -> "Output":
    """Set up logging for the process, and give what can be changed of it later."""
    stream = _stream(settings.log.file)
    output = Output(stream, settings.log.file, level=settings.log.level)
    human = settings.log.format == "console" or (settings.log.format == "auto" and stream.isatty())
    renderer = _console() if human else _as_json
    structlog.configure(
        processors=[
            output.threshold,
            *([structlog.contextvars.merge_contextvars] if settings.telemetry.endpoint else []),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            output.keep,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("debug"),
        logger_factory=structlog.BytesLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Adoption()], level=logging.WARNING, force=True)
    return output


class Output:
    """Where the log goes, and what is important enough to go there."""

    def __init__(self, stream: BinaryIO, file: str, *, level: str) -> None:
        self._stream = stream
        self._file = file
        self.recent = RecentLog(secrets.token_hex(4))
        self.show(level)

    def show(self, level: str) -> None:
        """Log nothing less important than this from now on."""
        self._level = _LEVELS[level]

    def reopen(self) -> None:
        """Go on in a file of the same name, after somebody has moved the old one away.

        Raises:
            OSError: The file cannot be opened; the log goes on in the old one.
        """
        if not self._file:
            return
        with _stream(self._file) as fresh:
            self._stream.flush()
            os.dup2(fresh.fileno(), self._stream.fileno())

    def threshold(self, logger: object, method: str, event: Event) -> Event:
        """Drop what is not important enough.

        A processor, since structlog 25.4 gives loggers that are cached no other level.
        """
        del logger
        if _LEVELS.get(method, logging.ERROR) < self._level:
            raise structlog.DropEvent
        return event

    def keep(self, logger: object, method: str, event: Event) -> Event:
        """Keep a line for those who look at the log from elsewhere.

        Requests are left to the file: within seconds nothing else would be kept.
        """
        del logger, method
        if event["event"] == _REQUEST:
            return event
        self.recent.keep(
            level=event["level"],
            at=datetime.fromisoformat(event["timestamp"]),
            event=_text(event["event"]),
            fields={name: _text(value) for name, value in event.items() if name not in _HEAD},
        )
        return event


class _Adoption(logging.Handler):
    """Gives what libraries log, such as uvicorn of broken requests, the form of our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()[:_FOREIGN_CHARACTERS_MAX]
        logger = structlog.get_logger(record.name)
        logger.log(record.levelno, text, logger=record.name, exc_info=record.exc_info)


def redact(logger: object, method: str, event: Event) -> Event:
    """Blot out whatever is or looks like a secret."""
    del logger, method
    for name, value in event.items():
        if name in _SECRET_NAMES:
            event[name] = _BLOT
        elif isinstance(value, str) and _SECRET_TEXT.search(value):
            event[name] = _SECRET_TEXT.sub(_BLOT, value)
    return event


def _text(value: object) -> str:
    return value if isinstance(value, str) else _SECRET_TEXT.sub(_BLOT, str(value))


def _as_json(logger: object, method: str, event: Event) -> bytes:
    del logger, method
    return msgspec.json.encode(event, enc_hook=repr)


def _console() -> Any:
    render = structlog.dev.ConsoleRenderer()

    def as_text(logger: object, method: str, event: Event) -> bytes:
        return render(logger, method, event).encode()

    return as_text


def _stream(file: str) -> BinaryIO:
    if not file:
        return sys.stderr.buffer
    path = Path(file).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("ab")
