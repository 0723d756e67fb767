"""Imports on PostgreSQL: changed as `engarde_actor`, read under row level security."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec
import structlog

from engarde_daemon.adapters.postgres.faults import UNWRITABLE, translated
from engarde_daemon.domain.importing import (
    AssetState,
    CampaignAsset,
    Figures,
    ImportSpec,
    ImportStatus,
    Origin,
    Platform,
    Stage,
)
from engarde_daemon.ports.content import Place
from engarde_daemon.ports.importing import (
    AssetRecord,
    AssetStep,
    Begun,
    ImportClaim,
    ImportDraft,
    ImportKey,
    ImportRecord,
    Known,
    Portion,
    Task,
)
from engarde_daemon.ports.secrets import SealedKey
from sql import statements

_LOG = structlog.get_logger("engarde.import")
_SQL = statements("importing")
_UNWRITABLE = "It could not be written down: a value of it is none that the database can hold."
_SPEC = msgspec.json.Decoder(ImportSpec)
_ASSET = msgspec.json.Decoder(CampaignAsset)
_FIGURES = msgspec.json.Decoder(list[Figures])


class PostgresImportBook:
    """The `ImportBook` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def begin(self, draft: ImportDraft, *, most: int) -> Begun:
        """See `ImportBook.begin`."""
        row = {
            "id": draft.id,
            "tenant_id": draft.origin.tenant_id,
            "brand_id": draft.origin.brand_id,
            "user_id": draft.user_id,
            "campaign_space_id": draft.origin.space_id,
            "platform": draft.origin.platform,
            "external_campaign_id": draft.origin.campaign_id,
            "spec": draft.spec,
            "fingerprint": draft.fingerprint,
            "estimated_assets": draft.estimated_assets,
            "status": ImportStatus.RECEIVING if draft.is_receiving else ImportStatus.PENDING,
        }
        return Begun(await _value(self._writers, "begin", _json(row), most))

    async def receive(self, key: ImportKey, portion: Portion) -> bool:
        """See `ImportBook.receive`."""
        listed = (_json(portion.assets), _json(portion.figures))
        return bool(
            await _value(
                self._writers, "receive", key.tenant_id, key.job_id, *listed, portion.is_last
            )
        )

    async def cancel(self, key: ImportKey, *, reason: str | None = None) -> bool | None:
        """See `ImportBook.cancel`."""
        done: bool | None = await _value(self._writers, "cancel", key.tenant_id, key.job_id, reason)
        return done


class PostgresImportBench:
    """The `ImportBench` port on PostgreSQL."""

    def __init__(self, writers: asyncpg.Pool) -> None:
        self._writers = writers

    async def claim(self, *, most: int, lease_s: float) -> list[ImportClaim]:
        """See `ImportBench.claim`."""
        with translated():
            rows = await self._writers.fetch(_SQL["claim"], most, lease_s)
        return [_claim_of(row) for row in rows]

    async def extend(self, claim: ImportClaim, *, lease_s: float) -> ImportStatus | None:
        """See `ImportBench.extend`."""
        status = await self._held("extend", claim, lease_s)
        return ImportStatus(status) if status else None

    async def list(self, claim: ImportClaim, portion: Portion) -> bool:
        """See `ImportBench.list`."""
        assets = _json(portion.assets)
        return bool(await self._held("list", claim, assets, portion.cursor, portion.is_last))

    async def turn(
        self, claim: ImportClaim, stage: Stage, cursor: str | None, *, figures: int = 0
    ) -> bool:
        """See `ImportBench.turn`."""
        return bool(await self._held("turn", claim, stage, cursor, figures))

    async def tasks(self, claim: ImportClaim, *, most: int) -> Sequence[Task] | None:
        """See `ImportBench.tasks`."""
        tenant_id = claim.origin.tenant_id
        with translated():
            rows = await self._writers.fetch(_SQL["tasks"], tenant_id, claim.id, most)
        if not rows and not await _value(self._writers, "is_pending", tenant_id, claim.id):
            return None
        return [_task_of(row) for row in rows]

    async def note(self, claim: ImportClaim, step: AssetStep) -> bool:
        """See `ImportBench.note`."""
        try:
            return await self._note(claim, step)
        except UNWRITABLE as error:
            reason = getattr(error, "sqlstate", None) or type(error).__name__
            told = {"import_id": claim.id, "number": step.number, "reason": reason}
            _LOG.error("an asset's end cannot be written down: set aside", **told)
        failure = AssetStep(number=step.number, state=AssetState.FAILED, reason=_UNWRITABLE)
        return await self._note(claim, failure)

    async def adopt(self, origin: Origin, identity: str, media_id: str) -> str:
        """See `ImportBench.adopt`."""
        name = _name_of(identity)
        given = (origin.tenant_id, origin.brand_id, origin.platform, name, media_id)
        return str(await _value(self._writers, "adopt", *given))

    async def files(self, origin: Origin, identities: Sequence[str]) -> dict[str, str | None]:
        """See `ImportBench.files`."""
        names = {_name_of(identity): identity for identity in identities}
        given = (origin.tenant_id, origin.brand_id, origin.platform, list(names))
        with translated():
            rows = await self._writers.fetch(_SQL["files"], *given)
        return {names[row["identity"]]: row["media_id"] for row in rows}

    async def exported(
        self, claim: ImportClaim, *, after: int, most: int
    ) -> Sequence[tuple[int, str, Sequence[Figures]]]:
        """See `ImportBench.exported`."""
        tenant_id = claim.origin.tenant_id
        with translated():
            rows = await self._writers.fetch(_SQL["exported"], tenant_id, claim.id, after, most)
        return [(row["number"], row["content_id"], _FIGURES.decode(row["figures"])) for row in rows]

    async def contents(self, origin: Origin, external_ids: Sequence[str]) -> dict[str, str]:
        """See `ImportBench.contents`."""
        given = (origin.tenant_id, origin.space_id, origin.platform, list(external_ids))
        with translated():
            rows = await self._writers.fetch(_SQL["contents"], *given)
        return {row["external_asset_id"]: row["id"] for row in rows}

    async def postpone(self, claim: ImportClaim, *, after_s: float, reason: str) -> None:
        """See `ImportBench.postpone`."""
        await self._held("postpone", claim, after_s, reason)

    async def settle(self, claim: ImportClaim, *, failure: str | None) -> bool:
        """See `ImportBench.settle`."""
        return bool(await self._held("settle", claim, failure))

    async def key(self, tenant_id: str, platform: str) -> SealedKey:
        """See `ImportBench.key`."""
        sealed: bytes | None = await _value(self._writers, "key", tenant_id, platform)
        return SealedKey(tenant_id, platform, sealed)

    async def pause(self, key: SealedKey, reason: str) -> None:
        """See `ImportBench.pause`."""
        told = (key.tenant_id, key.provider, key.sealed, reason[:300])
        await _value(self._writers, "pause", *told)

    async def _note(self, claim: ImportClaim, step: AssetStep) -> bool:
        told = _json(msgspec.structs.replace(step, keepsake=None))
        kept = _json(step.keepsake) if step.keepsake else None
        return bool(await self._held("note", claim, told, kept))

    async def _held(self, name: str, claim: ImportClaim, *given: object) -> Any:
        return await _value(self._writers, name, claim.id, claim.epoch, *given)


class PostgresImportLibrary:
    """The `ImportLibrary` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool) -> None:
        self._readers = readers

    async def job(self, key: ImportKey) -> ImportRecord | None:
        """See `ImportLibrary.job`."""
        rows = await self._fetch("jobs", key.tenant_id, key.job_id, None, None, None, None, 1)
        return _record_of(rows[0]) if rows else None

    async def jobs(
        self,
        tenant_id: str,
        *,
        brand_ids: Sequence[str] | None,
        statuses: Sequence[str] | None,
        after: Place | None,
        size: int,
    ) -> list[ImportRecord]:
        """See `ImportLibrary.jobs`."""
        before = (after.created_at, after.content_id) if after else (None, None)
        rows = await self._fetch("jobs", tenant_id, None, brand_ids, statuses, *before, size)
        return [_record_of(row) for row in rows]

    async def items(
        self, key: ImportKey, *, states: Sequence[str] | None, after: int, size: int
    ) -> list[AssetRecord]:
        """See `ImportLibrary.items`."""
        rows = await self._fetch("items", key.tenant_id, key.job_id, states, after, size)
        return [AssetRecord(**{**row, "state": AssetState(row["state"])}) for row in rows]

    async def count(self, tenant_id: str, space_id: str) -> int:
        """See `ImportLibrary.count`."""
        return int(await _value(self._readers, "count", tenant_id, space_id))

    async def _fetch(self, name: str, *given: object) -> list[Any]:
        with translated():
            rows: list[Any] = await self._readers.fetch(_SQL[name], *given)
        return rows


async def _value(pool: asyncpg.Pool, name: str, *given: object) -> Any:
    with translated():
        return await pool.fetchval(_SQL[name], *given)


def _claim_of(row: Mapping[str, Any]) -> ImportClaim:
    origin = Origin(
        tenant_id=row["tenant_id"],
        brand_id=row["brand_id"],
        space_id=row["campaign_space_id"],
        platform=Platform(row["platform"]),
        campaign_id=row["external_campaign_id"],
    )
    return ImportClaim(
        id=row["id"],
        origin=origin,
        user_id=row["user_id"],
        spec=_SPEC.decode(row["spec"]),
        epoch=row["epoch"],
        stage=Stage(row["stage"]),
        cursor=row["cursor"],
        attempts=row["attempts"],
        is_cancelled=row["status"] == ImportStatus.CANCELLED,
        created_at=row["created_at"],
    )


def _task_of(row: Mapping[str, Any]) -> Task:
    known = None
    if row["content_id"] is not None:
        told = {name: row[name] for name in Known.__struct_fields__}
        known = Known(**told)
    asset = _ASSET.decode(row["asset"])
    return Task(number=row["number"], attempts=row["attempts"], asset=asset, known=known)


def _record_of(row: Mapping[str, Any]) -> ImportRecord:
    apart = {
        "spec": _SPEC.decode(row["spec"]),
        "status": ImportStatus(row["status"]),
        "stage": Stage(row["stage"]),
    }
    return ImportRecord(**{**row, **apart})


def _name_of(identity: str) -> str:
    """What a file is called in the table: platforms' own names have no bound."""
    return hashlib.sha256(identity.encode()).hexdigest()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
