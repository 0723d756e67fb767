"""Settings that change while the daemon runs.

Owns the rule that a reload is taken whole or not at all: everything that can go wrong is done first,
and then all parts change between two turns of the event loop, so that no request sees half of it.
What cannot change in a running daemon keeps its value, and is named in the log every time.
"""

from collections.abc import Callable, Sequence
from typing import Any

import anyio
import msgspec
import structlog
from anyio import to_thread

from engarde_daemon.config import ConfigurationError, Settings
from engarde_daemon.config.sources import Key, leaves
from engarde_daemon.domain.errors import EngardeError

READ_LIMIT_S = 5.0
LIVE: tuple[Key, ...] = (
    ("auth", "jwt_secret"),
    ("auth", "issuer"),
    ("auth", "audience"),
    ("auth", "leeway_s"),
    ("auth", "tenant_claim"),
    ("auth", "brand_claim"),
    ("auth", "role_claim"),
    ("auth", "operator_roles"),
    ("auth", "admin_roles"),
    ("auth", "editor_roles"),
    ("auth", "viewer_roles"),
    ("delivery", "staging_limit_bytes"),
    ("limits", "requests_per_min_principal"),
    ("limits", "requests_per_min_tenant"),
    ("log", "level"),
    ("plans",),
    ("secrets", "key_file"),
)
"""The settings and sections that a running daemon can change."""

_MISSING = object()
_LOG = structlog.get_logger("engarde.daemon")

Read = Callable[[], Settings]
Commit = Callable[[], None]
Prepare = Callable[[Settings], Commit]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a reload comes to: the settings from then on, and the names of what differs."""

    settings: Settings
    changed: tuple[str, ...]
    need_restart: tuple[str, ...]


class Reloading:
    """Reads the settings again when it is told to; `prepare` says how each part takes them."""

    def __init__(self, running: Settings, read: Read, prepare: Sequence[Prepare]) -> None:
        self._running = running
        self._read = read
        self._prepare = prepare

    async def reload(self) -> bool:
        """Take what can be taken, and say in the log what became of it; answers whether it was."""
        try:
            with anyio.fail_after(READ_LIMIT_S):
                changes, commits = await to_thread.run_sync(self._prepared, abandon_on_cancel=True)
        except ConfigurationError as error:
            return _refused(list(error.problems))
        except TimeoutError:
            return _refused([f"the settings could not be read within {READ_LIMIT_S:g} s"])
        except (EngardeError, OSError) as error:
            return _refused([str(error)])
        for commit in commits:
            commit()
        self._running = changes.settings
        _LOG.info("settings reloaded", changed=changes.changed)
        if changes.need_restart:
            _LOG.warning("settings wait for a restart", settings=changes.need_restart)
        return True

    def _prepared(self) -> tuple[Changes, list[Commit]]:
        """Do everything that can fail, and change nothing."""
        changes = compared(self._running, self._read())
        return changes, [prepare(changes.settings) for prepare in self._prepare]


def compared(running: Settings, wanted: Settings) -> Changes:
    """What of the wanted settings a running daemon takes, and what it cannot."""
    before, after = _leaves_of(running), _leaves_of(wanted)
    different = [
        key
        for key in sorted({*before, *after})
        if before.get(key, _MISSING) != after.get(key, _MISSING)
    ]
    live = [key for key in different if _is_live(key)]
    return Changes(
        settings=_merged(running, wanted),
        changed=tuple(".".join(key) for key in live),
        need_restart=tuple(".".join(key) for key in different if key not in live),
    )


def _merged(running: Settings, wanted: Settings) -> Settings:
    values: dict[str, Any] = msgspec.to_builtins(running)
    given: dict[str, Any] = msgspec.to_builtins(wanted)
    for section, *rest in LIVE:
        if rest:
            values[section][rest[0]] = given[section][rest[0]]
        else:
            values[section] = given[section]
    return msgspec.convert(values, Settings)


def _leaves_of(settings: Settings) -> dict[Key, Any]:
    return dict(leaves(msgspec.to_builtins(settings)))


def _is_live(key: Key) -> bool:
    return any(key[: len(known)] == known for known in LIVE)


def _refused(problems: list[str]) -> bool:
    """Say what is wrong; as at the start, no problem repeats a value."""
    _LOG.error("settings not reloaded: everything stays as it was", problems=problems)
    return False
