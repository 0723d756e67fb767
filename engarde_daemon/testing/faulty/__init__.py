"""A daemon that is harmed on purpose: at its failpoints, or by a mistake that somebody could make.

Owns the only way to do either. Nothing that the command `engarde` loads imports this package, which
an import contract proves; whoever wants it says `python -m engarde_daemon.testing.faulty`.
"""
