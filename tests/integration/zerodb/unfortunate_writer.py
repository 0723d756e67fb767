"""A process that stores batches until it is killed, and says of each one that it is confirmed.

Rows are computed from their number, so that whoever reads the numbers can ask for the rows.
"""

import sys
import uuid
from itertools import count
from pathlib import Path

import anyio

from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.domain.records import ContentRecord
from engarde_daemon.testing.records import record_with

BATCH = 20
TENANT = "0d4b1a3e-6f0a-4a53-8f0f-6c3c9d6b9a01"


def numbered(number: int) -> ContentRecord:
    """The row of this number, the same in every process."""
    body = f"Body {number} " + "0123456789abcdef" * (number % 400)
    return record_with(body, content_id=str(uuid.UUID(int=number)), tenant_id=TENANT)


async def write(folder: Path, start: int) -> None:
    """Store batch after batch, without end."""
    async with EmbeddedZeroDB(folder) as store:
        await store.prepare()
        for first in count(start, BATCH):
            numbers = range(first, first + BATCH)
            proved = await store.put_many([numbered(number) for number in numbers])
            print(*(n for n in numbers if numbered(n).id in proved), flush=True)  # noqa: T201 - said to the test


if __name__ == "__main__":
    anyio.run(write, Path(sys.argv[1]), int(sys.argv[2]))
