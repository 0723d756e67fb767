"""`python -m bench.load.model PORT`: a model that answers every chat with the same piece after 200 ms.

It does as little as a server in Python can, so that the machine is left to what is measured.
"""

import asyncio
import json
import sys
from typing import cast

import uvloop

ANSWER_S = 0.2

_PIECE = {"title": "A piece", "body": "What a model would write. " * 12, "hashtags": ["tea"]}
_CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "model": "gpt-5.4-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": json.dumps(_PIECE), "refusal": None},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 120, "completion_tokens": 90, "total_tokens": 210},
}
_BODY = json.dumps(_CHAT).encode()
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_BODY)
    + _BODY
)


class Model(asyncio.Protocol):
    """Answers a while after a request is complete."""

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Begin to write when the request's last byte is here."""
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length: ")
        if blank and len(body) == int(length.partition(b"\r\n")[0] or b"0"):
            self._received = b""
            asyncio.get_running_loop().call_later(ANSWER_S, self._transport.write, _ANSWER)


async def serve(port: int) -> None:
    """Answer on `port` of this machine until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Model, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
