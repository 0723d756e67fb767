"""A body store in memory, and the faults a real one can have.

Owns the same answers as every other body store (one conformance suite runs against all), so that a
test can ask what its subject does when ZeroDB fails, without a ZeroDB.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import anyio
import anyio.lowlevel
import msgspec

from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import (
    ContentRecord,
    RecordKey,
    Row,
    Standing,
    VersionRecord,
    history_id,
)
from engarde_daemon.testing.records import key_of

_R = TypeVar("_R", bound=Row)


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
        self._twins: dict[str, list[ContentRecord]] = {}
        self._versions: dict[str, VersionRecord] = {}
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

    def corrupt_version(self, row_id: str) -> None:
        """Change the body of one row of the history behind the back of its fingerprint."""
        row = self._versions[row_id]
        rotten = msgspec.structs.replace(row.content_snapshot, content_body="rotten")
        self._versions[row_id] = msgspec.structs.replace(row, content_snapshot=rotten)

    def lose(self, row_id: str) -> None:
        """Forget one row, as a store does that was restored from an old copy."""
        del self._rows[row_id]

    def repeat(self, row_id: str, body: str) -> None:
        """Put a second row under an id, with another body, as a store without a key may."""
        twin = msgspec.structs.replace(self._rows[row_id], content_body=body)
        self._twins.setdefault(row_id, []).append(twin)

    async def prepare(self) -> None:
        """Make sure the store answers; there is nothing to create.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()

    async def put_many(
        self, records: Sequence[ContentRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Store the rows and answer with the ids that are proved.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        del unsent
        await self._answer()
        return self._put(self._rows, records)

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """Fetch the rows that are there and match their key, by id.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()
        return self._get(self._rows, [(key.id, key) for key in keys])

    async def put_versions(
        self, records: Sequence[VersionRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Store what versions changed, as `put_many` does.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        del unsent
        await self._answer()
        return self._put(self._versions, records)

    async def get_versions(self, keys: Sequence[RecordKey]) -> dict[str, VersionRecord]:
        """Fetch what versions changed, as `get_many` does, by the `history_id` of the key.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()
        return self._get(self._versions, [(key.history_id, key) for key in keys])

    async def standing(self, keys: Sequence[RecordKey]) -> dict[str, Standing]:
        """Everything that stands under the ids of these keys, right or wrong.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()
        return {
            key.id: Standing([self._rows[key.id], *self._twins.get(key.id, ())])
            for key in keys
            if key.id in self._rows
        }

    async def delete_many(self, tenant_id: str, ids: Sequence[str]) -> int:
        """Remove rows of one tenant, with what is told of their versions, and count them all.

        Raises:
            Unavailable: `fail_next` asked for it.
        """
        await self._answer()
        for row_id in ids:
            self._twins.pop(row_id, None)
        return _remove(self._rows, tenant_id, ids) + _remove(
            self._versions, tenant_id, [history_id(row_id) for row_id in ids]
        )

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

    def _put(self, standing: dict[str, _R], rows: Sequence[_R]) -> frozenset[str]:
        unproved = {row.id for row in rows if not self._put_row(standing, row)}
        return frozenset(row.id for row in rows) - unproved

    def _put_row(self, standing: dict[str, _R], row: _R) -> bool:
        """Whether the row that stands under this id afterwards is the one that was brought."""
        if not row.is_intact():
            return False
        stands = standing.setdefault(row.id, row)
        if key_of(stands) != key_of(row):
            return False
        if not stands.is_intact():
            self.damaged_rows_seen += 1
            standing[row.id] = row
        return True

    def _get(
        self, standing: Mapping[str, _R], wanted: Sequence[tuple[str, RecordKey]]
    ) -> dict[str, _R]:
        there = [(row_id, key) for row_id, key in wanted if row_id in standing]
        found = {row_id: standing[row_id] for row_id, key in there if key.matches(standing[row_id])}
        self.damaged_rows_seen += len({row_id for row_id, _ in there}) - len(found)
        return found


def _remove(standing: dict[str, _R], tenant_id: str, ids: Sequence[str]) -> int:
    there = set(ids) & standing.keys()
    own = {row_id for row_id in there if standing[row_id].tenant_id == tenant_id}
    for row_id in own:
        del standing[row_id]
    return len(own)
