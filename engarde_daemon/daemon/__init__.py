"""The composition root: the only package that knows every part of the daemon.

Owns the order of a life. Starting: socket, stores, schema, proof of isolation, actors, and the
edge last. Stopping: the edge first, then actors in reverse, then stores. A second signal ends it
at once; what was acknowledged is committed, so nothing is lost by that.
"""

import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, closing
from functools import partial
from socket import socket
from typing import Any, TypeAlias

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus

from engarde_daemon import garbage, logs
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgresError
from engarde_daemon.config import Settings
from engarde_daemon.core import RestartLimitReached
from engarde_daemon.daemon.first_start import welcome
from engarde_daemon.daemon.listening import CannotListenError, listen
from engarde_daemon.daemon.parts import Watching
from engarde_daemon.daemon.pulse import Pulse
from engarde_daemon.daemon.reloading import Commit, Prepare, Read, Reloading
from engarde_daemon.daemon.stores import open_stores
from engarde_daemon.daemon.systemd import Systemd
from engarde_daemon.daemon.telemetry import open_instruments
from engarde_daemon.daemon.tree import Planted, plant
from engarde_daemon.domain.errors import EngardeError
from engarde_daemon.exit_codes import ExitCode

__all__ = ["main", "run"]

Beside: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""What runs beside the daemon in its process, from when it is ready until it stops."""

THREAD_TURN_S = 0.001
"""How long a thread that computes may keep the event loop from going on.

After each wait for the network the loop asks for the interpreter anew. CPython's own 5 ms let a loop
beside one such thread answer half as often. https://docs.python.org/3.11/library/sys.html#sys.setswitchinterval
"""

_LOG = structlog.get_logger("engarde.daemon")
_EXPLAINED = (EngardeError, EmbeddedPostgresError, CannotListenError, OSError)


def main(settings: Settings, read: Read, *, beside: Beside | None = None) -> int:
    """Run the daemon to its end and give the exit code.

    `read` reads the settings again; `beside` runs from when the daemon is ready.
    """
    output = logs.configure(settings)
    sys.setswitchinterval(THREAD_TURN_S)
    life = partial(run, settings, read, output, beside=beside)
    try:
        anyio.run(life, backend_options={"use_uvloop": sys.platform != "win32"})
    except BaseException as error:
        first = _first(error)
        if not isinstance(first, (*_EXPLAINED, RestartLimitReached)):
            raise
        gave_up = isinstance(first, RestartLimitReached)
        print(  # noqa: T201 - the one sentence a person at the terminal needs
            f"engarde {'gave up' if gave_up else 'cannot start'}: {first}", file=sys.stderr
        )
        return ExitCode.REFUSED if gave_up else ExitCode.CANNOT_START
    finally:
        garbage.look_at_everything()
    return 0


async def run(
    settings: Settings, read: Read, output: logs.Output, *, beside: Beside | None = None
) -> None:
    """Live until a signal comes that ends it; SIGHUP has the settings read again.

    Raises:
        EngardeError: A store does not answer or is not as it must be.
        EmbeddedPostgresError: The embedded PostgreSQL cannot start.
        CannotListenError: The address is taken or not ours.
        RestartLimitReached: Something crashed again and again.
    """
    pulse = Pulse(Systemd.named_in(os.environ, pid=os.getpid()))
    async with anyio.create_task_group() as watch:
        life = _Life(pulse, watch, drain_s=settings.server.drain_s)
        await watch.start(life.obey_signals)
        watch.start_soon(pulse.beat)
        with life.starting, closing(listen(settings.server)) as listener:
            async with AsyncExitStack() as resources:
                stores, first = await open_stores(settings, resources)
                instruments = await open_instruments(settings, stores.sessions.writers, resources)
                watching = Watching(log=output.recent, instruments=instruments)
                life.tree = plant(settings, stores, listener, watching=watching)
                life.listener = listener
                parts: Sequence[Prepare] = (*life.tree.prepare, partial(_prepare_log, output))
                life.reloading = Reloading(settings, read, parts)
                watch.start_soon(life.tree.watch_lag)
                said = _Announcement(settings, life.tree, pulse, first=first)
                if beside is not None:
                    said.then = partial(watch.start_soon, beside)
                await life.tree.root.run(task_status=said)
        watch.cancel_scope.cancel()


class _Life:
    """What a signal ends: the start while it lasts, the tree from then on."""

    def __init__(self, pulse: Pulse, tasks: TaskGroup, *, drain_s: float) -> None:
        self._pulse = pulse
        self._tasks = tasks
        self._drain_s = drain_s
        self.tree: Planted | None = None
        self.listener: socket | None = None
        self.reloading: Reloading | None = None
        self.starting = anyio.CancelScope()

    async def obey_signals(self, *, task_status: TaskStatus[None]) -> None:
        stopping = False
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGHUP:
                    if not stopping:
                        await self._reload()
                    continue
                if stopping:
                    os._exit(128 + number)
                stopping = True
                self._pulse.stops()
                _LOG.info("stopping", signal=number.name)
                self._tasks.start_soon(self._stop)

    async def _reload(self) -> None:
        if self.reloading is None:
            _LOG.warning("settings not reloaded: the start is not over yet")
            return
        self._pulse.reloads()
        await self.reloading.reload()
        self._pulse.reloaded()

    async def _stop(self) -> None:
        if self.tree is None or self.listener is None:
            self.starting.cancel()
            return
        self.tree.leave()
        await anyio.sleep(self._drain_s)
        # The edge serves a duplicate. Were this one left open, the kernel would go on taking
        # callers whom nobody answers.
        self.listener.close()
        self.tree.root.stop()


class _Announcement(TaskStatus[None]):
    """Says that everything runs, at the moment it does."""

    def __init__(self, settings: Settings, tree: Planted, pulse: Pulse, *, first: bool) -> None:
        self._settings = settings
        self._tree = tree
        self._pulse = pulse
        self._first = first
        self.then: Callable[[], object] | None = None

    def started(self, value: None = None) -> None:
        del value
        garbage.keep_what_is_there()
        print(welcome(self._settings, first=self._first), flush=True)  # noqa: T201 - for a person
        server = self._settings.server
        _LOG.info("ready", host=server.host, port=server.port)
        self._pulse.serves(
            f"{server.host} port {server.port}", health=self._tree.health, vitals=self._tree.vitals
        )
        if self.then is not None:
            self.then()


def _prepare_log(output: logs.Output, settings: Settings) -> Commit:
    output.reopen()  # changes nothing that anybody could see, and may fail
    return lambda: output.show(settings.log.level)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
