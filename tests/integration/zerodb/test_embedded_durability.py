"""What the embedded ZeroDB has confirmed survives the death of its process."""

import random
import signal
import sys
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.testing.records import key_of
from tests.integration.zerodb.unfortunate_writer import numbered
from tests.support.patience import PATIENCE_S

ROUNDS = 5


async def test_every_confirmed_row_survives_kill_9(tmp_path):
    """Rows that were said to be stored are there after SIGKILL, round after round."""
    chance = random.Random(9)
    confirmed: list[int] = []
    for _ in range(ROUNDS):
        first = max(confirmed, default=-1) + 1_000
        confirmed += await _write_until_killed(tmp_path, first, chance.randint(1, 40))
        async with EmbeddedZeroDB(tmp_path) as store:
            found = await store.get_many([key_of(numbered(number)) for number in confirmed])
        assert found.keys() == {numbered(number).id for number in confirmed}
        assert store.damaged_rows_seen == 0


async def test_a_batch_is_there_as_a_whole_or_not_at_all(tmp_path):
    """A kill in the middle of a transaction leaves no part of it."""
    confirmed = await _write_until_killed(tmp_path, 0, 7)
    async with EmbeddedZeroDB(tmp_path) as store:
        there = [record async for record in store.scan()]
    assert len(there) >= len(confirmed)
    assert len(there) % 20 == 0


async def _write_until_killed(folder: Path, first: int, batches: int) -> list[int]:
    command = [sys.executable, "-m", "tests.integration.zerodb.unfortunate_writer"]
    async with await anyio.open_process([*command, str(folder), str(first)], stderr=None) as writer:
        with anyio.fail_after(PATIENCE_S):
            said = await _listen_then_kill(writer, batches)
    lines = said.splitlines(keepends=True)
    return [int(number) for line in lines if line.endswith("\n") for number in line.split()]


async def _listen_then_kill(writer: Process, batches: int) -> str:
    assert writer.stdout is not None
    said = ""
    async for words in TextReceiveStream(writer.stdout):
        said += words
        if said.count("\n") >= batches and writer.returncode is None:
            writer.kill()
    assert await writer.wait() == -signal.SIGKILL
    return said
