"""The composition root: the only package that knows every part of the daemon.

Owns the order of a life. Starting: socket, stores, schema, proof of isolation, actors, and the
edge last. Stopping: the edge first, then actors in reverse, then stores. A second signal ends it
at once; what was acknowledged is committed, so nothing is lost by that.
"""

import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, closing
from functools import partial
from socket import socket
from typing import Any, TypeAlias

import anyio
import structlog
from anyio.abc import TaskStatus

from engarde_daemon import logs
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgresError
from engarde_daemon.config import Settings
from engarde_daemon.core import RestartLimitReached, Supervisor
from engarde_daemon.daemon.first_start import welcome
from engarde_daemon.daemon.listening import CannotListenError, listen
from engarde_daemon.daemon.stores import open_stores
from engarde_daemon.daemon.tree import plant
from engarde_daemon.domain.errors import EngardeError
from engarde_daemon.exit_codes import ExitCode

__all__ = ["main", "run"]

Beside: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""What runs beside the daemon in its process, from when it is ready until it stops."""

_LOG = structlog.get_logger("engarde.daemon")
_EXPLAINED = (EngardeError, EmbeddedPostgresError, CannotListenError, OSError)


def main(settings: Settings, *, beside: Beside | None = None) -> int:
    """Run the daemon to its end and give the exit code; `beside` runs from when it is ready."""
    logs.configure(settings)
    try:
        anyio.run(run, settings, beside, backend_options={"use_uvloop": sys.platform != "win32"})
    except BaseException as error:
        first = _first(error)
        if not isinstance(first, (*_EXPLAINED, RestartLimitReached)):
            raise
        gave_up = isinstance(first, RestartLimitReached)
        print(  # noqa: T201 - the one sentence a person at the terminal needs
            f"engarde {'gave up' if gave_up else 'cannot start'}: {first}", file=sys.stderr
        )
        return ExitCode.REFUSED if gave_up else ExitCode.CANNOT_START
    return 0


async def run(settings: Settings, beside: Beside | None = None) -> None:
    """Live until a signal comes.

    Raises:
        EngardeError: A store does not answer or is not as it must be.
        EmbeddedPostgresError: The embedded PostgreSQL cannot start.
        CannotListenError: The address is taken or not ours.
        RestartLimitReached: Something crashed again and again.
    """
    life = _Life()
    async with anyio.create_task_group() as watch:
        await watch.start(life.obey_signals)
        with life.starting, closing(listen(settings.server)) as listener:
            async with AsyncExitStack() as resources:
                stores, first = await open_stores(settings, resources)
                life.tree, life.listener = plant(settings, stores, listener), listener
                ready = _Announcement(settings, first=first)
                if beside is not None:
                    ready.then = partial(watch.start_soon, beside)
                await life.tree.run(task_status=ready)
        watch.cancel_scope.cancel()


class _Life:
    """What a signal ends: the start while it lasts, the tree from then on."""

    def __init__(self) -> None:
        self.tree: Supervisor | None = None
        self.listener: socket | None = None
        self.starting = anyio.CancelScope()

    async def obey_signals(self, *, task_status: TaskStatus[None]) -> None:
        stopping = False
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            async for number in signals:
                if stopping:
                    os._exit(128 + number)
                stopping = True
                _LOG.info("stopping", signal=number.name)
                self._stop()

    def _stop(self) -> None:
        if self.tree is None or self.listener is None:
            self.starting.cancel()
            return
        # The edge serves a duplicate. Were this one left open, the kernel would go on taking
        # callers whom nobody answers.
        self.listener.close()
        self.tree.stop()


class _Announcement(TaskStatus[None]):
    """Says that everything runs, at the moment it does."""

    def __init__(self, settings: Settings, *, first: bool) -> None:
        self._settings = settings
        self._first = first
        self.then: Callable[[], object] | None = None

    def started(self, value: None = None) -> None:
        del value
        print(welcome(self._settings, first=self._first), flush=True)  # noqa: T201 - for a person
        _LOG.info("ready", host=self._settings.server.host, port=self._settings.server.port)
        if self.then is not None:
            self.then()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
