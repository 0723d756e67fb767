"""Server-sent events, in pieces of any size."""

from collections.abc import AsyncIterator, Sequence

import pytest

from tui import event_stream
from tui.event_stream import Frame, FrameTooLargeError, frames

STREAM = (
    b': hello\n\nid: 5b.1\nevent: event\ndata: {"a"\ndata: :1}\n\nevent: snapshot\ndata: {}\n\n'
)
TOLD = [Frame("event", b'{"a"\n:1}', "5b.1"), Frame("snapshot", b"{}", "")]


async def in_pieces(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    """The pieces as a connection gives them."""
    for piece in pieces:
        yield piece


@pytest.mark.parametrize("length", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
async def test_frames_are_whole_however_they_are_cut(length: int, end: bytes):
    """A piece may end anywhere, between the two signs of a line's end, too."""
    stream = STREAM.replace(b"\n", end)
    pieces = [stream[start : start + length] for start in range(0, len(stream), length)]

    assert [frame async for frame in frames(in_pieces(pieces))] == TOLD


async def test_a_frame_without_an_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch):
    """A broken proxy must not fill the dashboard's memory."""
    monkeypatch.setattr(event_stream, "FRAME_BYTES_MAX", 100)

    with pytest.raises(FrameTooLargeError):
        [frame async for frame in frames(in_pieces([b"data: ", b"x" * 101]))]
