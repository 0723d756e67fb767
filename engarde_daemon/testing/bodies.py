"""A body store in memory, and the faults a real one can have.

Owns the same answers as every other body store (one conformance suite runs against all), so that a
test can ask what its subject does when ZeroDB fails, without a ZeroDB.
"""

from collections.abc import AsyncIterator, Sequence

import anyio
import anyio.lowlevel
import msgspec

from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import ContentRecord, RecordKey
from engarde_daemon.testing.records import key_of


class Gate:
    """A place where the next call waits: `reached` when it came, until someone sets `opened`."""

    def __init__(self) -> None:
        self.reached = anyio.Event()
        self.opened = anyio.Event()

    async def pass_through(self) -> None:
        """Say that a call is here, then hold it until the gate is opened."""
        self.reached.set()
        await self.opened.wait()


class MemoryBodies:
    """A body store that forgets everything with the process, and fails on demand."""

    def __init__(self) -> None:
        self.damaged_rows_seen = 0
        self._rows: dict[str, ContentRecord] = {}
        self._failures_left = 0
        self._gate: Gate | None = None

    def fail_next(self, calls: int) -> None:
        """Let the next calls, whichever they are, find the store unreachable."""
        self._failures_left = calls

    def hold_next(self) -> Gate:
        """Let the next call wait at a gate, before it touches any row."""
        self._gate = Gate()
        return self._gate

    def corrupt(self, row_id: str) -> None:
        """Change the body of one row behind the back of its fingerprint."""
        row = self._rows[row_id]
        self._rows[row_id] = msgspec.structs.replace(row, content_body=f"{row.content_body}?")

    def lose(self, row_id: str) -> None:
        """Forget one row, as a store does that was restored from an old copy."""
        del self._rows[row_id]

    async def prepare(self) -> None:
        """Make sure the store answers; there is nothing to create.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()

    async def put_many(self, records: Sequence[ContentRecord]) -> frozenset[str]:
        """Store the rows and answer with the ids that are proved.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()
        unproved = {record.id for record in records if not self._put(record)}
        return frozenset(record.id for record in records) - unproved

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """Fetch the rows that are there and match their key, by id.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()
        there = {key.id for key in keys} & self._rows.keys()
        rows = [(key, self._rows[key.id]) for key in keys if key.id in there]
        found = {row.id: row for key, row in rows if key.matches(row)}
        self.damaged_rows_seen += len(there) - len(found)
        return found

    async def delete_many(self, tenant_id: str, ids: Sequence[str]) -> int:
        """Remove rows of one tenant and count them.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()
        there = set(ids) & self._rows.keys()
        own = {row_id for row_id in there if self._rows[row_id].tenant_id == tenant_id}
        for row_id in own:
            del self._rows[row_id]
        return len(own)

    async def scan(self, tenant_id: str | None = None) -> AsyncIterator[ContentRecord]:
        """Walk over the intact rows that are there when the walk begins.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()
        for row in list(self._rows.values()):
            if tenant_id not in (None, row.tenant_id):
                continue
            if row.is_intact():
                yield row
            else:
                self.damaged_rows_seen += 1

    async def _answer(self) -> None:
        await anyio.lowlevel.checkpoint()
        gate, self._gate = self._gate, None
        if gate is not None:
            await gate.pass_through()
        if self._failures_left:
            self._failures_left -= 1
            raise Unavailable("The body store in memory was told to fail.")

    def _put(self, record: ContentRecord) -> bool:
        """Whether the row that stands under this id afterwards is the one that was brought."""
        if not record.is_intact():
            return False
        standing = self._rows.setdefault(record.id, record)
        if key_of(standing) != key_of(record):
            return False
        if not standing.is_intact():
            self.damaged_rows_seen += 1
            self._rows[record.id] = record
        return True
