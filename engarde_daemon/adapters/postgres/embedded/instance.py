"""The directory of one embedded PostgreSQL: what lies in it, who owns it, which modes it has.

Invariant: only the server's user and root can enter `data/` and `run/`. The socket asks nobody for
a password, so its directory's mode 0700 is the only lock on it. Directories of others are never
changed, and nothing is followed that the server's user could have planted for root.
"""

import contextlib
import hashlib
import os
import re
import tempfile
from pathlib import Path

import msgspec

from engarde_daemon.adapters.postgres.embedded.account import Account
from engarde_daemon.adapters.postgres.embedded.errors import EmbeddedPostgresError

# Socket addresses end at 103 bytes (macOS) or 107 (unix(7)), and commas, quotes and the like have a
# meaning in unix_socket_directories or in a DSN.
_PLAIN_PATH = re.compile(r"[\w/.@+-]{1,86}", re.ASCII)


class Instance(msgspec.Struct, frozen=True):
    """The places inside one instance's root."""

    root: Path

    @property
    def data(self) -> Path:
        """The data directory of the server."""
        return self.root / "data"

    @property
    def unfinished_data(self) -> Path:
        """Where initdb works, so that a half-made data directory is never mistaken for one."""
        return self.root / "data.new"

    @property
    def managed_settings(self) -> Path:
        """The part of the server's configuration that we write."""
        return self.data / "managed.conf"

    @property
    def daemon_lock(self) -> Path:
        """Locked by the daemon that manages this instance."""
        return self.root / "manager.lock"

    @property
    def server_lock(self) -> Path:
        """Locked while any process of the server, or initdb, still runs."""
        return self.root / "server.lock"

    @property
    def startup_log(self) -> Path:
        """What initdb and the server print before the server's own log begins."""
        return self.root / "startup.log"

    @property
    def socket_directory(self) -> Path:
        """The server's `run/`, or a short name in the temp directory if its path is unfit."""
        inside = self.root / "run"
        if _PLAIN_PATH.fullmatch(str(inside)):
            return inside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir(), f"engarde-pg-{digest}")


def make_root(root: Path, account: Account) -> None:
    """Create the root and what is missing above it, enterable by the server's user."""
    mode = 0o755 if account.differs else 0o700
    for directory in [*reversed(root.parents), root]:
        if not directory.exists():
            directory.mkdir()
            directory.chmod(mode)  # mkdir's own mode is cut by the umask


def make_private(directory: Path, account: Account) -> None:
    """Make sure that this is a real directory of the account, closed to everyone else.

    Raises:
        EmbeddedPostgresError: it belongs to somebody else.
        OSError: it is a symbolic link, or no directory.
    """
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    # By descriptor: in a shared temp directory the name could be exchanged between two calls.
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        owner = os.fstat(descriptor).st_uid
        if owner not in {os.geteuid(), account.uid}:
            raise EmbeddedPostgresError(
                f"{directory} belongs to uid {owner} instead of {account}: remove it or give it back."
            )
        if account.differs:
            os.fchown(descriptor, account.uid, account.gid)
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def append_durably(path: Path, line: str) -> None:
    """Add a line to a file of the server's user, without following a link planted there."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags), "w", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def rename_durably(source: Path, target: Path) -> None:
    """Rename, and make the rename itself survive a power cut (fsync(2) of the parent)."""
    source.rename(target)
    parent = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
