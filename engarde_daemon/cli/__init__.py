"""The command `engarde`: what a person or a script types.

Owns the thin layer between a shell and the daemon. A command reads its settings, calls one thing
and prints its answer. Modules here import only what `engarde --help` needs; what a command works
with is imported when it runs, which a test on `sys.modules` watches.
"""

from engarde_daemon.cli.commands import engarde


def main() -> None:
    """Run `engarde` with the arguments of this process."""
    engarde(prog_name="engarde")
