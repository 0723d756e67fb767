"""The store that holds bodies: ZeroDB in one of its dialects, or the embedded one.

A body store holds rows that belong to one version each, in two collections: the content as it was,
and what the version changed. Putting a row twice is the same as putting it once; a row is never
overwritten with another body.
"""

from collections.abc import AsyncIterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from engarde_daemon.domain.records import ContentRecord, RecordKey, Standing, VersionRecord


class BodyStore(Protocol):
    """Where bodies live once PostgreSQL no longer stages them."""

    async def prepare(self) -> None:
        """Create the three collections where they are missing.

        Raises:
            Unavailable: The store cannot be reached.
        """

    async def put_many(
        self, records: Sequence[ContentRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Store the rows and answer with the ids that a read-back proved by hash.

        Ids missing from the answer are to be put again. `unsent` are ids that nobody has put before,
        so that the store need not look for them first; a wrong one costs a duplicate in the store,
        never a wrong answer.

        Raises:
            Unavailable: The store cannot be reached; nothing is known of any row.
        """

    async def get_many(self, keys: Sequence[RecordKey]) -> dict[str, ContentRecord]:
        """Fetch the rows that are there and match their key, by id.

        A damaged or foreign row counts as missing.

        Raises:
            Unavailable: The store cannot be reached.
        """

    async def put_versions(
        self, records: Sequence[VersionRecord], *, unsent: AbstractSet[str] = frozenset()
    ) -> frozenset[str]:
        """Store what versions changed, as `put_many` does; rows that the server counts are proved.

        Raises:
            Unavailable: The store cannot be reached; nothing is known of any row.
        """

    async def get_versions(self, keys: Sequence[RecordKey]) -> dict[str, VersionRecord]:
        """Fetch what versions changed, as `get_many` does, by the `history_id` of the key.

        Raises:
            Unavailable: The store cannot be reached.
        """

    async def standing(self, keys: Sequence[RecordKey]) -> dict[str, Standing]:
        """Everything that stands under the ids of these keys, right or wrong, for a check.

        Ids under which nothing stands are left out.

        Raises:
            Unavailable: The store cannot be reached.
        """

    async def delete_many(self, tenant_id: str, ids: Sequence[str]) -> int:
        """Remove rows of one tenant for good, with what is told of their versions.

        `ids` are those of the content; all rows that went are counted.

        Raises:
            Unavailable: The store cannot be reached.
        """

    def scan(self, tenant_id: str | None = None) -> AsyncIterator[ContentRecord]:
        """Walk over all rows, of one tenant or of all, each once, in no promised order.

        Raises:
            Unavailable: The store cannot be reached.
        """
