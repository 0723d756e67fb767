"""Which operating-system user the server runs as.

Invariant: never root. PostgreSQL refuses that, and the trust that the socket grants would be root's.
"""

import os
import pwd
from pathlib import Path

import msgspec

from engarde_daemon.adapters.postgres.embedded.errors import EmbeddedPostgresError

_USUAL_ACCOUNTS = ("postgres", "nobody")


class Account(msgspec.Struct, frozen=True):
    """The user that owns the data directory and runs the server."""

    name: str | None
    """None where the uid has no passwd entry, as under `docker run --user 12345`."""
    uid: int
    gid: int

    @property
    def differs(self) -> bool:
        """Whether children have to change to this user first."""
        return self.uid != os.geteuid()

    def __str__(self) -> str:
        return self.name or f"uid {self.uid}"


def choose_account(data: Path, run_as: str | None) -> Account:
    """Choose the user: the daemon's own, or as root the one set, the data's owner, or a usual one.

    Raises:
        EmbeddedPostgresError: no user fits, or the daemon may not change to the one set.
    """
    if os.geteuid() != 0:
        return _own_account(run_as)
    if run_as is not None:
        return _not_root(_named(run_as))
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid)
    return _usual_account()


def _own_account(run_as: str | None) -> Account:
    name = _name_of(os.geteuid())
    if run_as not in {None, name}:
        raise EmbeddedPostgresError(
            f"Only root can run PostgreSQL as {run_as!r}: "
            "leave the user unset, or start the daemon as that user."
        )
    return Account(name, os.geteuid(), os.getegid())


def _name_of(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _named(name: str) -> Account:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL shall run as {name!r}, but there is no such user: create it or name another."
        ) from None
    return Account(name, entry.pw_uid, entry.pw_gid)


def _not_root(account: Account) -> Account:
    if account.uid == 0:
        raise EmbeddedPostgresError("PostgreSQL refuses to run as root: name another user.")
    return account


def _usual_account() -> Account:
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in _USUAL_ACCOUNTS:
        if name in known:
            return _not_root(_named(name))
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root and there is neither a user postgres nor nobody: "
        "create one, or start the daemon as an ordinary user."
    )
