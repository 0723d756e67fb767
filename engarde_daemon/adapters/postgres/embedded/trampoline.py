"""Become the server's user, then turn into the program named: run as a script, never imported.

PostgreSQL refuses to run as root, and `Popen(user=...)` fails where that user cannot read the
Python installation. This script is read and everything it needs imported while still root.

Arguments: UID GID PARENT DIRECTORY PROGRAM [ARGUMENT...]. A PARENT other than 0 is the process whose
death sends the program SIGINT.
"""

import os
import signal
import sys

CANNOT_ENTER = 96
CANNOT_EXECUTE = 97
PARENT_IS_GONE = 98

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def drop_privileges(uid: int, gid: int) -> None:
    """Give up root for good; an ordinary user has nothing to give up."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    os.umask(0o077)


def enter(directory: str) -> None:
    """Walk down to the directory, so that a refusal names the ancestor that is closed."""
    step = "/"
    for name in ["", *directory.strip("/").split("/")]:
        step = os.path.join(step, name)  # noqa: PTH118 - pathlib would double the start-up time
        try:
            os.chdir(step)
        except OSError:
            sys.stderr.write(step)
            sys.exit(CANNOT_ENTER)


def main(uid: str, gid: str, parent: str, *rest: str) -> None:
    """Change user, bind this process's life to its parent, and execute the program."""
    directory, *command = rest
    libc = None
    if parent != "0" and sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - costs 4 ms, and only ephemeral servers need it

        libc = ctypes.CDLL(None)
    drop_privileges(int(uid), int(gid))
    if libc is not None:
        # After setuid, which clears the setting: PR_SET_PDEATHSIG(2const).
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != int(parent):
            sys.exit(PARENT_IS_GONE)
    enter(directory)
    try:
        os.execv(command[0], command)  # noqa: S606 - the daemon chose the program
    except OSError:
        sys.exit(CANNOT_EXECUTE)


if __name__ == "__main__":
    main(*sys.argv[1:])
