"""`python -m bench.load.responder PORT`: answers every request at once with the same 4 KB.

It does as little as a server in Python can, so what the generator reaches against it is the
generator's own ceiling.
"""

import asyncio
import sys
from typing import cast

import uvloop

_BODY = b'{"id":"0"}'.ljust(4096)
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(_BODY) + _BODY


class Responder(asyncio.Protocol):
    """Answers as soon as a request is complete."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer when the request's last byte is here."""
        self._received += data
        if _is_complete(self._received):
            self._received = b""
            self._transport.write(_ANSWER)


def _is_complete(request: bytes) -> bool:
    head, blank, body = request.partition(b"\r\n\r\n")
    _, _, length = head.partition(b"content-length: ")
    return bool(blank) and len(body) == int(length or b"0")


async def serve(port: int) -> None:
    """Answer on `port` of this machine until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
