"""A process that is watched and stopped the same way whether it is our child or was adopted.

Invariant: a signal reaches the process meant or nobody. A child cannot be confused before it is
reaped, and an adopted process is held by a pidfd, so a reused process id is harmless.
"""

import contextlib
import os
import select
import signal
import subprocess

import anyio

_POLL_S = 0.05


class WatchedProcess:
    """One running process: our own child, or one that an earlier daemon left behind."""

    def __init__(self, pid: int, *, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._child = child
        self._handle = _open_handle(pid)
        self._ended = False

    @property
    def exit_code(self) -> int | None:
        """How a child ended (negative: by which signal); None while it runs or if it was adopted."""
        return self._child.poll() if self._child else None

    @property
    def ended(self) -> bool:
        """Whether the process is gone or a zombie; the first look at a dead one also reaps it."""
        if not self._ended and self._gone():
            self._ended = True
            self._reap()
        return self._ended

    async def wait(self) -> None:
        """Return once the process has ended, however long that takes."""
        while not self.ended:
            if self._handle is None:
                await anyio.sleep(_POLL_S)
            else:
                await _readable(self._handle)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, or do nothing if the process has ended."""
        if self.ended:
            return
        with contextlib.suppress(ProcessLookupError):
            if self._handle is None:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self._handle, number)

    async def stop(self, *steps: tuple[signal.Signals, float]) -> None:
        """Send each signal and wait its number of seconds, until one has ended the process.

        Cancellation cannot interrupt this: the steps are the deadline.

        Raises:
            TimeoutError: it survived every step.
        """
        with anyio.CancelScope(shield=True):
            for number, patience_s in steps:
                self.send(number)
                with anyio.move_on_after(patience_s):
                    await self.wait()
                if self.ended:
                    return
        raise TimeoutError(f"process {self.pid} survived {[number.name for number, _ in steps]}")

    def close(self) -> None:
        """Stop watching; the process itself is left alone."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _gone(self) -> bool:
        if self._child is not None:
            return self._child.poll() is not None
        if self._handle is None:
            return not exists(self.pid)
        poller = select.poll()  # not select(), which fails on descriptors above 1023
        poller.register(self._handle, select.POLLIN)
        return bool(poller.poll(0))

    def _reap(self) -> None:
        if self._child is None:
            # An orphan becomes our child when we are PID 1 or a subreaper: nobody else reaps it.
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, os.WNOHANG)
        self.close()


def _open_handle(pid: int) -> int | None:
    """A pidfd, or None on macOS, Linux before 5.3 or where seccomp forbids it: then we poll."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


async def _readable(handle: int) -> None:
    own = os.dup(handle)  # anyio allows one waiter a descriptor, and the owner may close `handle`
    try:
        await anyio.wait_readable(own)
    finally:
        os.close(own)


def exists(pid: int) -> bool:
    """Whether a process has this number, be it ours or not, alive or a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
