"""Puts the bodies of filled items where the daemon reads them: into its embedded ZeroDB."""

from collections.abc import Sequence
from pathlib import Path

from bench.provision import database_of
from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.config import Storage
from engarde_daemon.domain.records import ContentRecord, StorageMetadata

_ITEMS = "select * from content_items where id = any ($1::text[])"


async def store_bodies(data_dir: Path, ids: Sequence[str]) -> None:
    """Store the bodies of these items; that of a filled item is its preview.

    Raises:
        Unavailable: The store cannot be reached.
    """
    async with database_of(data_dir) as connection:
        rows = await connection.fetch(_ITEMS, ids)
    records = [
        ContentRecord(
            id=row["zerodb_id"],
            tenant_id=row["tenant_id"],
            brand_id=row["brand_id"],
            campaign_space_id=None,
            user_id=row["user_id"],
            title=row["title"],
            content_body=row["preview"],
            content_type=row["content_type"],
            status=row["status"],
            metadata={},
            storage_metadata=StorageMetadata(
                size_bytes=row["storage_size_bytes"], sha256=row["body_sha256"]
            ),
            version=1,
            version_of=None,
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )
        for row in rows
    ]
    async with EmbeddedZeroDB(Storage(data_dir=str(data_dir)).zerodb_folder) as store:
        await store.put_many(records)
