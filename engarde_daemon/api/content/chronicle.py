"""What versions changed, told the same whether ZeroDB has heard of them yet or not.

Owns the agreement between the two ways of telling: the row of `content_versions` that delivery
wrote, and what delivery is going to write, from the same states by the same comparison.
"""

from collections.abc import Mapping, Sequence

import msgspec

from engarde_daemon.domain.content import BodyName
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.history import Comparison, Patch, Snapshot, snapshot_of
from engarde_daemon.domain.records import RecordKey, VersionRecord
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.content import Bodies, Version
from engarde_daemon.ports.history import Comparer


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One version, what it changed, and the state it led to."""

    version: Version
    compared: Comparison
    snapshot: Snapshot


class Chronicle:
    """Tells versions."""

    def __init__(self, store: BodyStore, bodies: Bodies, comparer: Comparer) -> None:
        self._store = store
        self._bodies = bodies
        self._comparer = comparer

    async def tell(self, wanted: Sequence[Version], known: Mapping[int, Version]) -> list[Account]:
        """What these versions of one content changed; `known` has those that they follow too.

        Raises:
            Unavailable: A body that is needed is nowhere to be had right now.
        """
        rows = await self._rows(wanted)
        untold = [version for version in wanted if version.item.version not in rows]
        before = [known[n] for v in untold if (n := v.item.version - 1) in known]
        snapshots = await self.snapshots([*untold, *before])
        return [
            _account(version, rows[version.item.version])
            if version.item.version in rows
            else await self._compare(version, snapshots)
            for version in wanted
        ]

    async def diff(self, before: Version, after: Version) -> Patch:
        """The patch that leads from one version of a content to another.

        Raises:
            Unavailable: A body that is needed is nowhere to be had right now.
        """
        snapshots = await self.snapshots([before, after])
        return await self._comparer.diff(
            snapshots[before.item.version], snapshots[after.item.version]
        )

    async def snapshots(self, versions: Sequence[Version]) -> dict[int, Snapshot]:
        """The states that versions of one content led to, by number.

        Raises:
            Unavailable: A body that is needed is nowhere to be had right now.
        """
        items = [version.item for version in versions]
        bodies = await self._bodies.find(items[0].tenant_id, items) if items else {}
        _refuse_lost([item.body_name for item in items], bodies)
        return {item.version: snapshot_of(item, bodies[item.body_name]) for item in items}

    async def _rows(self, wanted: Sequence[Version]) -> dict[int, VersionRecord]:
        try:
            rows = await self._store.get_versions([RecordKey.of(v.item) for v in wanted])
        except Unavailable:
            return {}  # what is staged or at hand can be told without the store
        return {row.version: row for row in rows.values()}

    async def _compare(self, version: Version, snapshots: Mapping[int, Snapshot]) -> Account:
        number = version.item.version
        after = snapshots[number]
        compared = await self._comparer.compare(version.change, snapshots.get(number - 1), after)
        return Account(version=version, compared=compared, snapshot=after)


def _account(version: Version, row: VersionRecord) -> Account:
    compared = Comparison(row.changes_summary, row.diff_from_previous)
    return Account(version=version, compared=compared, snapshot=row.content_snapshot)


def _refuse_lost(names: Sequence[BodyName], bodies: Mapping[BodyName, str]) -> None:
    lost = sum(name not in bodies for name in names)
    if lost:
        raise Unavailable(
            f"The bodies of {lost} of {len(names)} versions cannot be read from any store now. "
            "They are not lost as long as a store can be restored."
        )
