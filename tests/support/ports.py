"""Ports that stay free from their choice until their daemon binds them, in all its lives.

Owns that nobody else gets one. A port that the system picks comes from the range out of which it
serves whoever connects: while a daemon starts, or is dead, any client may be given its port, and one
that knocks again and again may even be connected with itself. The ports here lie below that range,
and a datagram socket of the same number tells every other test process that it is taken.
"""

import random
import socket

_PORTS = range(20_000, 32_000)  # https://docs.kernel.org/networking/ip-sysctl.html: from 32 768 on
_ATTEMPTS = 100
_held: list[socket.socket] = []
# Not the shared generator: pytest-randomly has it begin anew with each test.
_chance = random.SystemRandom()


def free_port() -> int:
    """A port on which nobody listens, and which no other test is given while this process lives."""
    for port in _chance.sample(_PORTS, _ATTEMPTS):
        hold = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            hold.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            hold.close()
            continue
        _held.append(hold)
        return port
    raise AssertionError(f"none of {_ATTEMPTS} ports was free")
