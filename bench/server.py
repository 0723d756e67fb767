"""One system under test: its process, from start to stop.

Invariant: no process outlives its `Server`. Everything below the started process is known before
it is asked to end, and what has not ended in time is killed, each process by its own id.
"""

import contextlib
import http.client
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

import psutil

from bench.errors import BenchError
from bench.usage import Cpu, Memory, cpu_of, family, memory_of

START_LIMIT_S = 60.0
STOP_LIMIT_S = 20.0
SETTLE_LIMIT_S = 10.0
_QUIET_SHARE = 0.05
_LOOK_S = 0.8  # the daemon rests for 0.5 s before it goes on with what a burst of writes left
_AS_IT_IS: Mapping[str, str] = MappingProxyType({})


class Server:
    """A process that serves the content API on a port of this machine."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        data_dir: Path,
        port: int,
        environ: Mapping[str, str] = _AS_IT_IS,
    ) -> None:
        self.name = name
        self.port = port
        self.data_dir = data_dir
        self._command = command
        self._environ = {**os.environ, **environ}
        self._output = data_dir.parent / f"{name}.log"
        self._process: psutil.Popen

    def start(self) -> float:
        """Start, and answer how many seconds it took until `/readyz` said 200.

        Raises:
            BenchError: The process ended, or was not ready in time.
        """
        started = time.perf_counter()
        self._launch()
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        return time.perf_counter() - started

    def _launch(self) -> None:
        try:
            with self._output.open("ab") as output:
                self._process = psutil.Popen(
                    self._command,
                    env=self._environ,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is ours: we stop it in order
                )
        except FileNotFoundError as missing:
            raise BenchError(f"there is no {self._command[0]}: run `make setup`") from missing

    def stop(self) -> None:
        """End the process in order, then whatever is left of its family by force."""
        known = family(self._process)
        for process in known:
            _resume(process)
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process.terminate()
        _, alive = psutil.wait_procs(known, timeout=STOP_LIMIT_S)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=STOP_LIMIT_S)

    @contextlib.contextmanager
    def awake(self) -> Iterator[Self]:
        """Let a frozen family run for the time of the block.

        Systems that are not being measured are stopped by signal, so that one's delivery or vacuum
        left over from its last load is never paid for by another.

        Raises:
            BenchError: The process has ended, or is not ready again in time.
        """
        for process in family(self._process):
            _resume(process)
        try:
            self._wait_ready()
            yield self
        finally:
            self.freeze()

    def freeze(self) -> None:
        """Stop the family by signal until it is `awake`."""
        for process in family(self._process):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def cpu(self) -> Cpu:
        """CPU time spent so far."""
        return cpu_of(self._process)

    def memory(self) -> Memory:
        """Memory in use now.

        Raises:
            BenchError: The process has ended.
        """
        try:
            return memory_of(self._process)
        except psutil.NoSuchProcess as ended:
            raise BenchError(f"{self.name} has ended:\n{self._last_output()}") from ended

    def descriptors(self) -> int:
        """How many files and sockets the process has open."""
        return int(self._process.num_fds())

    def settle(self, *, within_s: float = SETTLE_LIMIT_S) -> float:
        """Wait until the family is idle, or for so long; answers the seconds waited."""
        started = time.perf_counter()
        spent = self.cpu().total_s
        while time.perf_counter() - started < within_s:
            time.sleep(_LOOK_S)
            before, spent = spent, self.cpu().total_s
            if spent - before < _QUIET_SHARE * _LOOK_S:
                break
        return time.perf_counter() - started

    def _wait_ready(self) -> None:
        deadline = time.perf_counter() + START_LIMIT_S
        while not self._is_ready():
            if self._process.poll() is not None:
                raise BenchError(f"{self.name} has ended:\n{self._last_output()}")
            if time.perf_counter() > deadline:
                raise BenchError(f"{self.name} is not ready:\n{self._last_output()}")
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_output(self) -> str:
        return self._output.read_text(errors="replace")[-2000:]


def _resume(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.resume()
