"""The faults that the body store in memory can be told to have."""

import anyio
import pytest

from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.testing.bodies import MemoryBodies
from engarde_daemon.testing.records import key_of, record_with

ROW = record_with(
    "Hello",
    content_id="5f6c7d8e-1a2b-4c3d-9e4f-a0b1c2d3e4f5",
    tenant_id="0d4b1a3e-6f0a-4a53-8f0f-6c3c9d6b9a01",
)


async def test_as_many_calls_fail_as_were_asked_for():
    """The call after the last failure succeeds, and a failed call stored nothing."""
    bodies = MemoryBodies()
    bodies.fail_next(2)
    for call in (lambda: bodies.put_many([ROW]), bodies.prepare):
        with pytest.raises(Unavailable):
            await call()
    assert await bodies.get_many([key_of(ROW)]) == {}


async def test_a_walk_can_fail():
    """A scan is a call like the others."""
    bodies = MemoryBodies()
    bodies.fail_next(1)
    with pytest.raises(Unavailable):
        await anext(aiter(bodies.scan()))


async def test_a_lost_row_is_missing():
    """A store that was restored from an old copy does not know what it forgot."""
    bodies = MemoryBodies()
    await bodies.put_many([ROW])
    bodies.lose(ROW.id)
    assert await bodies.get_many([key_of(ROW)]) == {}
    assert bodies.damaged_rows_seen == 0


async def test_a_held_call_waits_at_its_gate():
    """Nothing is stored before the gate opens, and only one call is held."""
    bodies = MemoryBodies()
    gate = bodies.hold_next()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bodies.put_many, [ROW])
        await gate.reached.wait()
        assert await bodies.get_many([key_of(ROW)]) == {}
        gate.opened.set()
    assert await bodies.get_many([key_of(ROW)]) == {ROW.id: ROW}
