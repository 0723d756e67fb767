"""`deploy/container/Containerfile`, as far as it can be judged without a container engine.

What makes the daemon fit to be process 1's only child is tried for real: in a process namespace of
its own, where the kernel allows that.
"""

import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import anyio
import httpx
import psutil
import pytest

from tests.support.oracle import eventually
from tests.support.patience import PATIENCE_S
from tests.support.ports import free_port
from tests.support.postgres import enterable_directory
from tests.support.running import ENGARDE, Daemon, cleared_away_after, environment

CONTAINER = Path(__file__).parents[2] / "deploy" / "container"
CONTAINERFILE = CONTAINER / "Containerfile"
NAMESPACE = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def instructions() -> list[tuple[str, str]]:
    """Every instruction with its argument; lines that go on are one."""
    text = re.sub(r"\\\n\s*", "", CONTAINERFILE.read_text())
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def last(name: str) -> str:
    """The argument of the last instruction of this name, which is the one that counts."""
    return [rest for found, rest in instructions() if found == name][-1]


def allows_namespaces() -> bool:
    """Whether a process namespace can be had, which asks for root or the kernel's leave."""
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False, timeout=10)
    return tried.returncode == 0


def test_it_runs_as_nobody_special():
    """By number, so that Kubernetes can tell without looking into the image."""
    user, group = map(int, last("USER").split(":"))

    assert user == group > 1000
    assert f"--uid {user}" in " ".join(rest for name, rest in instructions() if name == "RUN")


def test_signals_reach_the_daemon():
    """No shell stands between: every command is in the form of a list, behind tini."""
    assert last("ENTRYPOINT").startswith('["/usr/bin/tini", "--", "engarde"')
    assert last("CMD").startswith('["run"')
    assert last("STOPSIGNAL") == "SIGTERM"
    assert "CMD [" in last("HEALTHCHECK")


def test_everything_that_is_copied_is_there():
    """And the file that keeps the rest out lets it in."""
    let_in = (CONTAINER / "Containerfile.dockerignore").read_text().splitlines()
    copied = [
        source
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]

    assert copied
    for source in copied:
        assert (CONTAINER.parents[1] / source).exists(), source
        assert f"!{source}" in let_in


def test_the_build_leaves_what_it_needs_behind():
    """The second stage takes the environment and nothing else of the first."""
    assert [rest for name, rest in instructions() if name == "COPY"][-1] == (
        "--from=build /opt/engarde /opt/engarde"
    )


async def test_the_health_check_tells_a_daemon_that_is_well(data_dir: Path):
    """With the very command of the image, on another port."""
    async with cleared_away_after(Daemon(data_dir)) as daemon:
        assert await checked(daemon) != 0
        await daemon.start()
        assert await checked(daemon) == 0


async def checked(daemon: Daemon) -> int:
    """How the image's own health check ends."""
    command = last("HEALTHCHECK").partition("CMD ")[2].replace(":8700", f":{daemon.port}")
    words = [word.rstrip(",") for word in shlex.split(command.strip("[]"))]
    words[0] = str(Path(ENGARDE).with_name("python"))
    return (await anyio.run_process(words, check=False)).returncode


@pytest.mark.skipif(not allows_namespaces(), reason="no process namespace can be had here")
async def test_as_process_1_it_hears_a_signal_and_ends_politely(data_dir: Path):
    """The kernel gives process 1 no default for any signal: it must have asked for each."""
    port = free_port()
    command = [*NAMESPACE, ENGARDE, "run", "--data-dir", str(data_dir), "--port", str(port)]
    async with await anyio.open_process(
        command, env=environment({}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as outer:
        async with httpx.AsyncClient(trust_env=False) as http:

            async def serves() -> bool:
                try:
                    answer = await http.get(f"http://127.0.0.1:{port}/readyz")
                except httpx.TransportError:
                    return False
                return answer.status_code == 200

            await eventually(serves)
        (first,) = psutil.Process(outer.pid).children()
        first.send_signal(signal.SIGTERM)
        with anyio.fail_after(PATIENCE_S):
            assert await outer.wait() == 0


@pytest.fixture(scope="module")
def data_dir():
    """A directory that the user of the embedded PostgreSQL can enter."""
    with enterable_directory(in_memory=True) as directory:
        yield directory / "data"
