"""What is kept beside content, on PostgreSQL: reads as `engarde_api`, writes as `engarde_actor`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.coalescing import PATIENCE_S, Coalesced
from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.domain.errors import Rejected
from engarde_daemon.domain.voice import Voice
from engarde_daemon.ports.content import ContentKey, Place
from engarde_daemon.ports.register import (
    AuditEntry,
    AuditFilters,
    Brand,
    CampaignSpace,
    KeptVoice,
    KeyFilters,
    KeyRecord,
    NewKey,
    NewSpace,
    SpaceKey,
)
from sql import statements

LANES = 1
BATCH_MOST = 64

_SQL = statements("access")
_VOICE = msgspec.json.Decoder(Voice)
_UNKNOWN = (
    "The platform's table {table} has no such {column}. Use a user, brand and ad platform that the "
    "platform knows."
)


class PostgresRegisterReader:
    """The `RegisterReader` and `BrandDirectory` ports on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool, *, patience_s: float = PATIENCE_S) -> None:
        self._readers = readers
        self._brands = Coalesced(
            self._brands_of, lanes=LANES, most=BATCH_MOST, patience_s=patience_s
        )
        self._spaces = Coalesced(
            self._spaces_of, lanes=LANES, most=BATCH_MOST, patience_s=patience_s
        )

    async def keys(
        self,
        tenant_id: str,
        *,
        filters: KeyFilters,
        after: Place | None = None,
        size: int = 1,
    ) -> list[KeyRecord]:
        """See `RegisterReader.keys`."""
        rows = await self._fetch(
            "api_keys", tenant_id, *msgspec.structs.astuple(filters), *_place_of(after), size
        )
        return [_key_of(row) for row in rows]

    async def brands(self, tenant_id: str) -> list[Brand]:
        """See `RegisterReader.brands`."""
        return [Brand(**row) for row in await self._fetch("brands", tenant_id)]

    async def voice(self, tenant_id: str, brand_id: str) -> KeptVoice | None:
        """See `RegisterReader.voice`."""
        rows = await self._fetch("voice", tenant_id, brand_id)
        return _voice_of(rows[0]) if rows else None

    async def campaign_spaces(
        self,
        tenant_id: str,
        *,
        brand_ids: Sequence[str] | None,
        platform: str | None,
        after: Place | None,
        size: int,
    ) -> list[CampaignSpace]:
        """See `RegisterReader.campaign_spaces`."""
        rows = await self._fetch(
            "campaign_spaces", tenant_id, brand_ids, platform, *_place_of(after), size
        )
        return [_space_of(row) for row in rows]

    async def campaign_space(self, key: SpaceKey) -> CampaignSpace | None:
        """See `RegisterReader.campaign_space`."""
        with translated():
            return await self._spaces.ask(key)

    async def owns_brand(self, tenant_id: str, brand_id: str) -> bool:
        """See `BrandDirectory.owns_brand`."""
        return bool((await self._fetch("owns_brand", tenant_id, brand_id))[0]["owns"])

    async def brands_of(self, keys: Sequence[ContentKey]) -> list[str | None]:
        """See `BrandDirectory.brands_of`."""
        if len(keys) > 1:
            return await self._brands_of(keys)
        with translated():
            return [await self._brands.ask(keys[0])]

    async def audit(
        self, tenant_id: str, *, filters: AuditFilters, after: Place | None, size: int
    ) -> list[AuditEntry]:
        """See `RegisterReader.audit`."""
        rows = await self._fetch(
            "audit", tenant_id, *msgspec.structs.astuple(filters), *_place_of(after), size
        )
        return [AuditEntry(**row) for row in rows]

    async def _fetch(self, name: str, *values: object) -> list[Mapping[str, Any]]:
        with translated():
            return list(await self._readers.fetch(_SQL[name], *values))

    async def _brands_of(self, keys: Sequence[ContentKey]) -> list[str | None]:
        rows = await self._fetch(
            "brands_of_items", [key.tenant_id for key in keys], [key.content_id for key in keys]
        )
        found = {row["slot"] - 1: row["brand_id"] for row in rows}
        return [found.get(slot) for slot in range(len(keys))]

    async def _spaces_of(self, keys: Sequence[SpaceKey]) -> list[CampaignSpace | None]:
        rows = await self._fetch(
            "campaign_spaces_by_id", [key.tenant_id for key in keys], [key.space_id for key in keys]
        )
        found = {row["slot"] - 1: _space_of(row["space"]) for row in rows}
        return [found.get(slot) for slot in range(len(keys))]


class PostgresRegister:
    """The `Register` and `AuditTrail` ports on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def add_key(self, key: NewKey) -> KeyRecord | None:
        """See `Register.add_key`."""
        with translated():
            row = await self._writers.fetchrow(
                _SQL["add_api_key"],
                key.key_id,
                key.tenant_id,
                key.brand_id,
                key.brand_ids,
                key.user_id,
                key.role.value,
                key.name,
                key.digest,
                key.expires_at,
                key.created_by,
            )
        return _key_of(row) if row else None

    async def revoke_key(self, tenant_id: str, key_id: str) -> datetime | None:
        """See `Register.revoke_key`."""
        with translated():
            revoked_at: datetime | None = await self._writers.fetchval(
                _SQL["revoke_api_key"], tenant_id, key_id
            )
        return revoked_at

    async def note_key_uses(self, keys: Sequence[tuple[str, str]]) -> None:
        """See `Register.note_key_uses`."""
        tenants, ids = [tenant_id for tenant_id, _ in keys], [key_id for _, key_id in keys]
        with translated():
            await self._writers.execute(_SQL["note_key_uses"], tenants, ids)

    async def add_space(self, space: NewSpace) -> tuple[CampaignSpace, bool]:
        """See `Register.add_space`."""
        with _known_to_the_platform(), translated():
            made = await self._writers.fetchrow(
                _SQL["add_campaign_space"], *msgspec.structs.astuple(space)
            )
            row = made or await self._writers.fetchrow(
                _SQL["campaign_space"], space.tenant_id, space.id
            )
        return _space_of(row["space"]), made is not None

    async def put_voice(
        self, tenant_id: str, brand_id: str, *, voice: Voice, by: str, expected: int | None
    ) -> KeptVoice | int:
        """See `Register.put_voice`."""
        profile = msgspec.json.encode(voice).decode()
        with _known_to_the_platform(), translated():
            row = await self._writers.fetchrow(
                _SQL["put_voice"], tenant_id, brand_id, profile, by, expected
            )
            if row is not None:
                return _voice_of(row)
            return (await self._writers.fetchval(_SQL["voice_version"], tenant_id, brand_id)) or 0

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        """See `AuditTrail.append`."""
        with translated():
            await self._writers.execute(
                _SQL["add_audit_entries"], msgspec.json.encode(entries).decode()
            )

    async def forget(self, *, older_than_days: int, most: int) -> int:
        """See `AuditTrail.forget`."""
        with translated():
            done = await self._writers.execute(_SQL["forget_audit_entries"], older_than_days, most)
        return int(done.rpartition(" ")[2])


@contextmanager
def _known_to_the_platform() -> Iterator[None]:
    try:
        yield
    except asyncpg.ForeignKeyViolationError as error:
        raise Rejected(_UNKNOWN.format(table=error.table_name, column="row")) from error
    except asyncpg.InvalidTextRepresentationError as error:
        raise Rejected(_UNKNOWN.format(table="campaign_spaces", column="platform")) from error


def _key_of(row: Mapping[str, Any]) -> KeyRecord:
    return msgspec.convert(dict(row), KeyRecord)


def _voice_of(row: Mapping[str, Any]) -> KeptVoice:
    return KeptVoice(
        version=row["version"],
        voice=_VOICE.decode(row["profile"]),
        updated_by=row["updated_by"],
        updated_at=row["updated_at"],
    )


def _space_of(row: Mapping[str, Any]) -> CampaignSpace:
    return CampaignSpace(**row)


def _place_of(place: Place | None) -> tuple[datetime | None, str | None]:
    return (place.created_at, place.content_id) if place else (None, None)
