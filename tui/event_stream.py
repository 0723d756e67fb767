"""Server-sent events, read from pieces of any size.

Owns the bound on one frame. The form is that of
https://html.spec.whatwg.org/multipage/server-sent-events.html, as far as our daemon writes it.
"""

from collections.abc import AsyncIterator

import msgspec

FRAME_BYTES_MAX = 8 * 1024 * 1024


class Frame(msgspec.Struct, frozen=True):
    """One event of the stream; `id` is empty where it has none."""

    event: str
    data: bytes
    id: str


class FrameTooLargeError(ValueError):
    """More came without an end than a frame may hold."""


async def frames(pieces: AsyncIterator[bytes]) -> AsyncIterator[Frame]:
    """Each frame as soon as it is whole; comments, which keep the connection alive, are passed over.

    Raises:
        FrameTooLargeError: A frame does not end.
    """
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        if len(rest) > FRAME_BYTES_MAX:
            raise FrameTooLargeError(f"a frame is larger than {FRAME_BYTES_MAX} bytes")
        for text in whole:
            frame = _frame(text)
            if frame.data:
                yield frame


def _frame(text: bytes) -> Frame:
    fields: dict[bytes, list[bytes]] = {}
    for line in text.split(b"\n"):
        name, _, value = line.partition(b":")
        fields.setdefault(name, []).append(value.removeprefix(b" "))
    event = fields.get(b"event", [b"message"])[-1]
    return Frame(
        event.decode(errors="replace"),
        b"\n".join(fields.get(b"data", [])),
        fields.get(b"id", [b""])[-1].decode(errors="replace"),
    )
