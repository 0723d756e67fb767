"""Streams that are cut into parts."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.custodian.cuts import Cuts


async def sent(chunks: list[bytes]) -> AsyncIterator[bytes]:
    """The chunks as they come."""
    for chunk in chunks:
        yield chunk


async def parts_of(chunks: list[bytes], part_bytes: int) -> list[bytes]:
    """Every part, whole."""
    cuts, parts = Cuts(sent(chunks), part_bytes), []
    while await cuts.are_left():
        parts.append(b"".join([piece async for piece in cuts.next()]))
    return parts


@given(st.lists(st.binary(max_size=20)), st.integers(1, 12))
async def test_parts_are_full_but_for_the_last_and_add_up(chunks: list[bytes], part_bytes: int):
    """However the bytes come."""
    parts = await parts_of(chunks, part_bytes)

    assert b"".join(parts) == b"".join(chunks)
    assert all(len(part) == part_bytes for part in parts[:-1])
    assert all(0 < len(part) <= part_bytes for part in parts)


@pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]])
async def test_nothing_has_no_parts(chunks: list[bytes]):
    """Not even an empty one."""
    assert await parts_of(chunks, 5) == []
