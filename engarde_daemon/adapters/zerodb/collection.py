"""Records of one shape in a table: put once and proved, found by key, walked over.

Owns idempotency, which the servers do not have: there are no unique ids, no conditional writes, and
a request that failed may have been carried out. So a row is looked for before it is added, what was
added is read back and judged by its hash (of the history it is enough that the server counts it),
and copies that came into being all the same are told apart on reading.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

from engarde_daemon.adapters.zerodb.dialects import QUERY_ROWS_MAX, Document, Page, StoredRow
from engarde_daemon.adapters.zerodb.documents import (
    Shape,
    Shard,
    document_of,
    earliest_first,
    identity,
    record_in,
)
from engarde_daemon.adapters.zerodb.refusals import TooMuch, Unreadable
from engarde_daemon.adapters.zerodb.table import Table, in_parts
from engarde_daemon.domain.records import RecordKey, Row

GROUP_ROWS = 200
PAGE_ROWS = 500

_R = TypeVar("_R", bound=Row)


class _Verdict(Enum):
    PROVED = auto()
    FOREIGN = auto()
    DAMAGED = auto()
    MISSING = auto()


class _Standing(NamedTuple):
    """What stands under an id, and the row to mend where it is damaged."""

    verdict: _Verdict
    row: StoredRow | None = None


class Collection(Generic[_R]):
    """See `BodyStore`: one of its two collections."""

    def __init__(self, shape: Shape[_R], table: Table, *, new_id: Callable[[], str]) -> None:
        self._shape = shape
        self._table = table
        self._tally = table.tally
        self._new_id = new_id

    async def put(self, records: Sequence[_R], unsent: AbstractSet[str]) -> frozenset[str]:
        """Store the rows and answer with the ids that are proved.

        Raises:
            Unavailable: The server does not answer.
        """
        sound = _sound(records)
        fresh = [record for record in sound if record.id in unsent]
        others = [record for record in sound if record.id not in unsent]
        standing = await self._standing(others)
        proved = {r.id for r in others if standing[r.id].verdict is _Verdict.PROVED}
        proved |= await self._mend(
            [(r, standing[r.id].row) for r in others if standing[r.id].verdict is _Verdict.DAMAGED]
        )
        fresh += [r for r in others if standing[r.id].verdict is _Verdict.MISSING]
        for group in in_parts(fresh, GROUP_ROWS):
            proved |= await self._add(group)
        return frozenset(proved)

    async def get(self, keys: Sequence[RecordKey]) -> dict[str, _R]:
        """Fetch the rows that are there and match their key, by id.

        Raises:
            Unavailable: The server does not answer.
        """
        wanted = {self._shape.id_of(key): key for key in keys}
        found: dict[str, _R] = {}
        for row in await self._table.named(list(wanted)):
            record = record_in(row, self._shape)
            key = wanted.get(record.id) if record is not None else None
            if record is None or key is None or not key.matches(record):
                self._tally.damaged_rows_seen += 1
            elif found.setdefault(record.id, record) is not record:
                self._tally.duplicate_rows_seen += 1
        return found

    async def under(self, ids: Sequence[str]) -> dict[str, list[_R | None]]:
        """Everything that stands under these ids; None for a row that is no record.

        Raises:
            Unavailable: The server does not answer.
        """
        found: dict[str, list[_R | None]] = defaultdict(list)
        for row in await self._table.named(ids):
            found[str(row.document["id"])].append(record_in(row, self._shape))
        return found

    async def delete(self, tenant_id: str, ids: Sequence[str]) -> int:
        """Remove the rows of one tenant that have these ids and count them.

        Raises:
            Unavailable: The server does not answer.
        """
        rows = await self._table.named(ids)
        own = [row for row in rows if row.document.get("tenant_id") == tenant_id]
        await self._table.delete(own)
        return len(own)

    async def scan(self, tenant_id: str | None) -> AsyncIterator[_R]:
        """Walk over all rows of one tenant or of all, shard by shard.

        Raises:
            Unavailable: The server does not answer.
        """
        ahead = [Shard()]
        while ahead:
            shard = ahead.pop()
            page = await self._whole(shard, tenant_id)
            if page is None:
                ahead += _parts_of(shard)
                continue
            for record in self._intact(page.rows):
                yield record

    async def _whole(self, shard: Shard, tenant_id: str | None) -> Page | None:
        """All rows of a shard, or None where they are too many to be asked for at once."""
        wanted = shard.filter(tenant_id)
        if not wanted:
            return None
        try:
            page = await self._table.page(wanted, most=PAGE_ROWS)
        except TooMuch:
            return None
        return None if page.more else page

    def _intact(self, rows: Sequence[StoredRow]) -> list[_R]:
        found: dict[str, _R] = {}
        for row in earliest_first(rows):
            record = record_in(row, self._shape)
            if record is None or not record.is_intact():
                self._tally.damaged_rows_seen += 1
            elif found.setdefault(record.id, record) is not record:
                self._tally.duplicate_rows_seen += 1
        return list(found.values())

    async def _standing(self, records: Sequence[_R]) -> dict[str, _Standing]:
        rows: dict[str, list[StoredRow]] = defaultdict(list)
        for row in await self._table.named([record.id for record in records]):
            rows[str(row.document["id"])].append(row)
        return {record.id: self._judge(record, rows[record.id]) for record in records}

    def _judge(self, record: _R, rows: Sequence[StoredRow]) -> _Standing:
        judged = [(self._verdict(record, row), row) for row in rows]
        self._tally.damaged_rows_seen += sum(v is _Verdict.DAMAGED for v, _ in judged)
        # A copy that is intact makes up for one that is not.
        for wanted in (_Verdict.PROVED, _Verdict.FOREIGN, _Verdict.DAMAGED):
            for verdict, row in judged:
                if verdict is wanted:
                    return _Standing(verdict, row)
        return _Standing(_Verdict.MISSING)

    def _verdict(self, record: _R, row: StoredRow) -> _Verdict:
        there = record_in(row, self._shape)
        if there is None:
            return _Verdict.DAMAGED
        if identity(there) != identity(record):
            return _Verdict.FOREIGN
        return _Verdict.PROVED if there.is_intact() else _Verdict.DAMAGED

    async def _mend(self, damaged: Sequence[tuple[_R, StoredRow | None]]) -> set[str]:
        """Give damaged rows the body they once had, and prove that they have it."""
        for record, row in damaged:
            if row is not None:
                await self._table.replace(row, document_of(record, self._new_id()))
        return await self._proved([record for record, _ in damaged])

    async def _proved(self, records: Sequence[_R]) -> set[str]:
        if not records:
            return set()
        standing = await self._standing(records)
        return {i for i, stands in standing.items() if stands.verdict is _Verdict.PROVED}

    async def _add(self, records: Sequence[_R]) -> set[str]:
        """Add rows that are not there, and once more, one by one, what did not arrive."""
        put_id = self._new_id()
        sent = {record.id: document_of(record, put_id) for record in records}
        proved: set[str] = set()
        for singly in (False, True):
            missing = [record for record in records if record.id not in proved]
            if missing:
                documents = [sent[record.id] for record in missing]
                told = await self._table.insert(documents, singly=singly)
                proved |= self._those_in(told.rows, missing, sent)
                if self._shape.counts_prove and told.counted == len(missing):
                    proved |= {record.id for record in missing}
            if len(proved) < len(records):
                proved |= await self._read_back(records, put_id, sent)
        return proved

    async def _read_back(
        self, records: Sequence[_R], put_id: str, sent: Mapping[str, Document]
    ) -> set[str]:
        try:
            page = await self._table.page({"put_id": put_id}, most=QUERY_ROWS_MAX)
        except TooMuch:
            return await self._proved(records)
        return self._those_in(page.rows, records, sent)

    def _those_in(
        self, rows: Sequence[StoredRow], records: Sequence[_R], sent: Mapping[str, Document]
    ) -> set[str]:
        """The ids of the records that are proved by these rows.

        A document that came back as it was sent needs no hash: the record it was made of is intact.
        """
        wanted = {record.id: record for record in records}
        proved = set()
        for row in rows:
            record = wanted.get(str(row.document.get("id")))
            if record is None:
                continue
            if row.document == sent[record.id] or self._verdict(record, row) is _Verdict.PROVED:
                proved.add(record.id)
        return proved


def _sound(records: Sequence[_R]) -> list[_R]:
    """One intact record for each id; none for an id that came with two bodies or a broken one."""
    first = {record.id: record for record in reversed(records)}
    unsound = {
        record.id
        for record in records
        if identity(record) != identity(first[record.id]) or not record.is_intact()
    }
    return [record for record in first.values() if record.id not in unsound]


def _parts_of(shard: Shard) -> list[Shard]:
    parts = list(shard.parts())
    if not parts:
        raise Unreadable(
            "ZeroDB cannot be walked over: the smallest part that can be asked for is too large. "
            "Does the server understand filters?"
        )
    return parts
