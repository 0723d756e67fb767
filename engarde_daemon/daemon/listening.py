"""The socket on which the daemon listens, bound before anything is started.

Bound early, so that a taken port is one clear sentence and not a crash after a minute's work.
"""

import socket

from engarde_daemon.config import Server

BACKLOG = 2048


class CannotListenError(Exception):
    """The address cannot be listened on."""


def listen(server: Server) -> socket.socket:
    """Bind the configured address.

    Raises:
        CannotListenError: It is taken, not ours, or unknown.
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    try:
        return socket.create_server((server.host, server.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CannotListenError(
            f"{server.host} port {server.port} cannot be listened on ({error.strerror or error}). "
            "Choose another with --port, or [server] host and port in engarde.toml."
        ) from error
