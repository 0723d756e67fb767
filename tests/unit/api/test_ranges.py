"""Ranges of files, as RFC 9110 has them."""

import pytest

from engarde_daemon.api.media.ranges import RangeNotSatisfiable, wanted_span
from engarde_daemon.ports.media import Span


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-0", Span(0, 1)),
        ("bytes=0-99", Span(0, 100)),
        ("bytes=10-19", Span(10, 20)),
        ("bytes=90-", Span(90, 100)),
        ("bytes=90-5000", Span(90, 100)),
        ("bytes=-10", Span(90, 100)),
        ("bytes=-5000", Span(0, 100)),
        ("bytes= 0 - 9", Span(0, 10)),
    ],
)
def test_a_range_is_a_span(header: str, span: Span):
    """From its first byte to its last, or as many of them as there are."""
    assert wanted_span(header, 100) == span


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes=", "bytes=-", "bytes=9-5", "bytes=0-1,5-6", "items=0-5", "bytes=a-b"],
)
def test_whatever_else_stands_for_the_whole_file(header: str | None):
    """A header that is no single range is left alone."""
    assert wanted_span(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(header: str):
    """With the size that the file has."""
    with pytest.raises(RangeNotSatisfiable, match="100 bytes"):
        wanted_span(header, 100)
