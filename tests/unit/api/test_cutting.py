"""A stream is cut into the same lines, however its bytes come in."""

import hashlib
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.api.transfer.cutting import Cutter


def cut(chunks: list[bytes], most: int = 100) -> list[tuple[int, bytes | None, str]]:
    """Each line with its number and the checksum of what stood above it."""
    cutter = Cutter(most)
    lines = [
        (cutter.number, line, cutter.checksum) for chunk in chunks for line in cutter.feed(chunk)
    ]
    return lines + [(cutter.number, line, cutter.checksum) for line in cutter.end()]


def sha256(text: bytes) -> str:
    """The checksum of a text."""
    return hashlib.sha256(text).hexdigest()


@given(
    lines=st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=8),
    cuts=st.lists(st.integers(0, 170), max_size=6),
    ended=st.booleans(),
)
def test_lines_do_not_depend_on_chunks(lines: list[bytes], cuts: list[int], *, ended: bool):
    """Their numbers and checksums neither."""
    text = b"".join(line + b"\n" for line in lines)
    text = text if ended else text.removesuffix(b"\n")
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    chunks = [text[a:b] for a, b in pairwise(places)]

    expected = text.removesuffix(b"\n").split(b"\n") if text else []
    if not ended and text.endswith(b"\n"):
        expected = text.split(b"\n")[:-1]
    assert [line for _, line, _ in cut(chunks)] == expected
    assert cut(chunks) == cut([text])


def test_a_checksum_is_that_of_the_lines_above():
    """The line that is looked at does not count yet."""
    assert cut([b"one\ntwo\nthree"]) == [
        (1, b"one", sha256(b"")),
        (2, b"two", sha256(b"one\n")),
        (3, b"three", sha256(b"one\ntwo\n")),
    ]


def test_a_line_that_is_too_long_is_given_up_but_counts():
    """Those behind it have the same numbers and checksums as ever."""
    long = b"x" * 101
    pieces = [b"a\n", long[:60], long[60:] + b"\nb\n"]

    assert cut(pieces) == [
        (1, b"a", sha256(b"")),
        (2, None, sha256(b"a\n" + long)),
        (3, b"b", sha256(b"a\n" + long + b"\n")),
    ]


def test_a_line_as_long_as_allowed_is_given():
    """The newline does not count."""
    assert [line for _, line, _ in cut([b"x" * 100 + b"\n"])] == [b"x" * 100]


def test_what_is_too_long_is_not_held():
    """Memory is bounded whatever comes."""
    cutter = Cutter(10)
    for _ in range(1000):
        assert not list(cutter.feed(b"x" * 1000))

    assert sum(map(len, cutter._held)) == 0
