"""Whether files with secrets are kept from everybody else's eyes."""

from collections.abc import Iterator
from pathlib import Path

from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.config import Settings

_NAME = "secret files"
_READABLE_BY_OTHERS = 0o004
_GROUP_TOO = 0o044
_SECRETS = ("api_key", "jwt_secret", "dsn")


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
    if shown:
        seen = f"others can read {', '.join(shown)}"
        return Finding(_NAME, State.WARNING, seen, "chmod 600, and renew what lay open.")
    return Finding(_NAME, State.OK, "nobody else can read keys and credentials")


def _files(settings: Settings, config: Path | None) -> Iterator[tuple[Path, int]]:
    """Each file, and who must not read it: a mounted secret may belong to the daemon's group."""
    named = settings.secrets.key_file
    if named:
        yield Path(named).expanduser(), _READABLE_BY_OTHERS
    else:
        yield settings.storage.secret_key_file, _GROUP_TOO
    yield settings.storage.credentials_file, _GROUP_TOO
    if config is not None and _holds_secrets(config):
        yield config, _READABLE_BY_OTHERS


def _holds_secrets(config: Path) -> bool:
    """Whether a secret stands in the file of settings instead of in the environment."""
    for line in config.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = (part.strip() for part in line.partition("="))
        if name in _SECRETS and value.strip("\"'") not in {"", "embedded"}:
            return True
    return False
