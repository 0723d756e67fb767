"""The last line of an export, as an import meets it."""

import pytest

from engarde_daemon.api.transfer.lines import LastLine, read_last_line


def test_it_is_known_by_its_form():
    """Count and checksum of the lines above it."""
    found = read_last_line(b'{"complete":true,"items":3,"sha256":"ab"}')

    assert found == LastLine(items=3, sha256="ab")


@pytest.mark.parametrize(
    "line",
    [
        b'{"complete":true,"items":3,"sha256":"\xff"}',
        b'{"complete":true,"\xff":3}',
        b'{"complete":true,"items":"three"}',
        b'{"complete":[[[[',
        b'{"id":"1"}',
    ],
)
def test_whatever_else_begins_like_it_is_a_line_like_others(line: bytes):
    """What is wrong with it is told of its place, as of every line."""
    assert read_last_line(line) is None
