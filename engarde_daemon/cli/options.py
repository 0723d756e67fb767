"""The options that every command shares, and the settings they lead to.

Owns where settings are looked for: the file named by `--config`, else `engarde.toml` in the
working directory if there is one, below the environment, below the command line.
"""

import os
import re
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import rich_click as click

from engarde_daemon.config import Settings, load

Command: TypeAlias = Callable[..., None]

_DEFAULT_FILE = Path("engarde.toml")
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_LEADING = frozenset({"config", "data_dir", "host", "port"})

_config = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Read this file instead of ./engarde.toml.",
)
_data_dir = click.option(
    "--data-dir", metavar="DIR", help="Use the embedded stores in this directory."
)

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on standard output."
)


def examples(*lines: str) -> str:
    """The lines to try that stand below a command's help."""
    return "\n\n".join(["Examples:", *(f"$ {line}" for line in lines)])


class Words(click.ParamType[str]):
    """Text that fits its column and can be printed on one line."""

    name = "text"

    def __init__(self, characters_max: int) -> None:
        self._characters_max = characters_max

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what PostgreSQL or a terminal could not take."""
        words = value.strip()
        if not words.isprintable() or len(words) > self._characters_max:
            self.fail(
                f"must be printable text of at most {self._characters_max} characters", param, ctx
            )
        return words


class Address(click.ParamType[str]):
    """Where a daemon listens."""

    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what nobody can be reached at."""
        if not _is_address(value):
            self.fail(f"{value!r} is no address like https://content.example.com", param, ctx)
        return value


def _is_address(text: str) -> bool:
    try:
        return bool(_ADDRESS.fullmatch(text)) and urlsplit(text).port != 0
    except ValueError:  # brackets that do not close, or a port that is no number
        return False


class Key(click.ParamType[str]):
    """An API key, as it was shown once."""

    name = "key"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what no request can carry, without repeating it; files end keys with a newline."""
        key = value.strip()
        if not (key.isascii() and key.isprintable()):
            self.fail(
                "must be a key as it was shown once: letters, digits and underscores", param, ctx
            )
        return key


def reaching(whose: str) -> Callable[[Command], Command]:
    """Give a command the options that say which daemon is meant, and with whose key."""
    url = click.option("--url", metavar="URL", type=Address(), help="Where the daemon listens.")
    key = click.option(
        "--key", metavar="KEY", type=Key(), envvar="ENGARDE_KEY", help=f"{whose} key."
    )
    return lambda command: url(key(command))


def located(command: Command) -> Command:
    """Give a command `--config` and `--data-dir`."""
    return _config(_data_dir(command))


def configured(command: Command) -> Command:
    """Give a command `--config` and `--data-dir`, and call it with the settings they lead to."""

    @wraps(command)
    def with_settings(*arguments: Any, **options: Any) -> None:
        settings = reader(options)()
        rest = {name: value for name, value in options.items() if name not in _LEADING}
        command(*arguments, settings=settings, **rest)

    return located(with_settings)


def reader(options: Mapping[str, Any]) -> Callable[[], Settings]:
    """A way to read, now and again, the settings to which a command's options lead.

    A file that was there once must be there ever after: a daemon whose file is away for a moment would
    otherwise go on with defaults that nobody chose.
    """
    file = settings_file(options["config"])
    overrides = {
        "storage.data_dir": options["data_dir"],
        "server.host": options.get("host"),
        "server.port": options.get("port"),
    }

    def read() -> Settings:
        nonlocal file
        file = file or settings_file(options["config"])
        return read_settings(file, overrides)

    return read


def read_settings(config: Path | None, options: dict[str, Any]) -> Settings:
    """Load the settings; an option that is None was not given.

    Raises:
        ConfigurationError: Something is wrong; the error names all of it.
    """
    given = {name: value for name, value in options.items() if value is not None}
    return load(settings_file(config), os.environ, given)


def settings_file(config: Path | None) -> Path | None:
    """The file that is read: the one that was named, else the one that lies here, else none."""
    return _DEFAULT_FILE if config is None and _DEFAULT_FILE.exists() else config
