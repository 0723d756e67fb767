"""Whether files with secrets are kept from everybody else's eyes, and hold what they should."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engarde_daemon.adapters.secrets import load_keys
from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.config import Settings
from engarde_daemon.config.sources import from_file
from engarde_daemon.daemon.telling import secret_key_file
from engarde_daemon.domain.errors import Rejected

_NAME = "secret files"
_READABLE_BY_OTHERS = 0o004
_GROUP_TOO = 0o044
_SECRETS = frozenset({"api_key", "jwt_secret"})
_PASSWORD = re.compile(r"://[^@]*:.*@|[?&]password=")


async def check_files(settings: Settings, config: Path | None) -> Finding:
    """Whether nobody but the daemon's user can read keys and credentials."""
    shown: list[str] = []
    for file, forbidden in _files(settings, config):
        try:
            mode = file.stat().st_mode
            file.open("rb").close()
        except FileNotFoundError:
            continue
        except OSError as error:
            advice = "Let the daemon's user own it, and run this as that user."
            return Finding(_NAME, State.FAULT, f"{file}: {error.strerror}", advice)
        if mode & forbidden:
            shown.append(f"{file} (mode {mode & 0o777:04o})")
    keys = _wrong_keys(settings)
    if keys is not None:
        advice = (
            "The daemon does not start like this: put the file back from where its copy is kept."
        )
        return Finding(_NAME, State.FAULT, keys, advice)
    if shown:
        seen = f"others can read {', '.join(shown)}"
        return Finding(_NAME, State.WARNING, seen, "chmod 600, and renew what lay open.")
    return Finding(_NAME, State.OK, "nobody else can read keys and credentials")


def _files(settings: Settings, config: Path | None) -> Iterator[tuple[Path, int]]:
    """Each file, and who must not read it: a mounted secret may belong to the daemon's group."""
    named = bool(settings.secrets.key_file)
    yield secret_key_file(settings), _READABLE_BY_OTHERS if named else _GROUP_TOO
    yield settings.storage.credentials_file, _GROUP_TOO
    if config is not None and _holds_secrets(config):
        yield config, _READABLE_BY_OTHERS


def _wrong_keys(settings: Settings) -> str | None:
    """What is wrong with the keys that seal secrets; the first start makes them where none are named."""
    file = secret_key_file(settings)
    if not settings.secrets.key_file and not file.exists():
        return None
    try:
        load_keys(file, secrets.token_bytes, make=False)
    except Rejected as error:
        return error.detail
    return None


def _holds_secrets(config: Path) -> bool:
    """Whether a secret stands in the file of settings instead of in the environment."""
    return any(_is_secret(entry.key[-1], entry.value) for entry in from_file(config))


def _is_secret(name: str, value: Any) -> bool:
    if name == "dsn":
        return bool(_PASSWORD.search(value))
    return name in _SECRETS and bool(value)
