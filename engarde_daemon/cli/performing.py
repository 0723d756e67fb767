"""How a command's work is done: with its log on standard error, and undone where it is cut off.

Owns the end by Ctrl-C and by SIGTERM. Both cancel the work, so that whatever it has begun is put
back: an embedded server is stopped, an unfinished folder goes, and a thread that copies is told.
Owns also the promise that standard output belongs to a command's answer alone.
"""

import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import structlog
from anyio.abc import TaskStatus

T = TypeVar("T")


def perform(work: Callable[[], Awaitable[T]]) -> T:
    """Do the work to its end.

    Raises:
        KeyboardInterrupt: A signal ended it before, and what it had begun is undone.
    """
    _keep_logs_off_stdout()
    if threading.current_thread() is not threading.main_thread():
        return anyio.run(work)  # signals are for the main thread alone
    try:
        done = anyio.run(_obeying_signals, work)
    except BaseExceptionGroup as group:
        raise _first_of(group) from None
    if done is None:
        raise KeyboardInterrupt
    return done[0]


async def _obeying_signals(work: Callable[[], Awaitable[T]]) -> tuple[T] | None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(_cancel_at_signals, tasks.cancel_scope)
        done = (await work(),)
        tasks.cancel_scope.cancel()
        return done
    return None


async def _cancel_at_signals(work: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            work.cancel()


def _first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _keep_logs_off_stdout() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
