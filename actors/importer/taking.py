"""From an asset that was listed to what became of it.

Owns that an asset is one content for ever: its content has an id that follows from the asset's, so
that a daemon that died before it could say what it made is found out, not repeated. What somebody
put into the trash or erased is not brought back by an import.
"""

from typing import Any

import msgspec

from actors.importer.files import FileTaker
from actors.ingest.messages import ImportContent, IngestMessage, UpdateContent
from engarde_daemon.core import ActorError, Address
from engarde_daemon.domain.changes import Draft, Patch
from engarde_daemon.domain.content import Item, Status, sha256_of
from engarde_daemon.domain.errors import EngardeError, Retryable
from engarde_daemon.domain.importing import AssetState, CampaignAsset, draft_of
from engarde_daemon.domain.transfer import Parcel
from engarde_daemon.ports.content import ContentKey, ContentLibrary
from engarde_daemon.ports.importing import AssetStep, ImportClaim, Keepsake, Known, Task

ATTEMPTS_MAX = 7
BACKOFF_MAX_S = 60.0
TIMEOUT_S = 20.0
REASON_CHARACTERS = 500

IN_TRASH = "Its content lies in the trash. Restore it there, then import again."
_ERASED = "Its content was erased for good, and is not made again."
_INACTIVE = "It is not active on its platform. Import with include_inactive to have it too."
_UNMOVED = "The platform wrote it down before. Run 'engarde migrate campaign-assets' first."


class AssetTaker:
    """Takes assets in."""

    def __init__(
        self, files: FileTaker, ingest: Address[IngestMessage], library: ContentLibrary
    ) -> None:
        self._files = files
        self._ingest = ingest
        self._library = library

    async def take(self, claim: ImportClaim, task: Task) -> AssetStep:
        """Take one asset in, and say what became of it.

        Raises:
            Unavailable: PostgreSQL does not answer; the asset comes back with the import's lease.
        """
        idle = _idle(claim, task)
        if idle is not None:
            return idle
        try:
            return await self._made(claim, task)
        except (ActorError, Retryable) as error:
            return _later(task, error)
        except EngardeError as refusal:
            return _ended(task, AssetState.FAILED, reason=refusal.detail)

    async def _made(self, claim: ImportClaim, task: Task) -> AssetStep:
        media_ids = await self._files.take(claim, task.asset)
        draft = draft_of(task.asset, claim.origin, media_ids)
        item = await self._first(claim, task, draft)
        if item.deleted_at is not None:
            return _ended(task, AssetState.SKIPPED, content_id=item.id, reason=IN_TRASH)
        patch = _patch(item, draft, task.known, is_active=task.asset.is_active)
        if patch.changed_fields():
            wish = UpdateContent(
                tenant_id=claim.origin.tenant_id,
                content_id=item.id,
                user_id=claim.user_id,
                patch=patch,
            )
            await self._ingest.ask(wish, timeout_s=TIMEOUT_S)
        return AssetStep(
            number=task.number,
            state=AssetState.UPDATED if task.known else AssetState.IMPORTED,
            content_id=item.id,
            keepsake=_keepsake(task.asset, item.id, media_ids),
        )

    async def _first(self, claim: ImportClaim, task: Task, draft: Draft) -> Item:
        """The content of the asset, made where there is none yet."""
        origin = claim.origin
        if task.known is not None:
            found = await self._library.find(ContentKey(origin.tenant_id, task.known.content_id))
            if found is not None:
                return found.item
        wish = ImportContent(
            tenant_id=origin.tenant_id,
            brand_id=origin.brand_id,
            user_id=claim.user_id,
            parcel=Parcel(source_id=origin.source_id(task.asset.external_id), draft=draft),
        )
        return (await self._ingest.ask(wish, timeout_s=TIMEOUT_S)).item


def _idle(claim: ImportClaim, task: Task) -> AssetStep | None:
    """What became of an asset with which nothing is to be done."""
    if not task.asset.is_active and not claim.spec.include_inactive:
        return _ended(task, AssetState.SKIPPED, reason=_INACTIVE)
    if task.known is None:
        return None
    barrier = _barrier(task.known)
    if barrier is not None:
        return _ended(task, AssetState.SKIPPED, reason=barrier)
    if task.known.digest == task.asset.digest:
        return _ended(task, AssetState.UNCHANGED, content_id=task.known.content_id)
    return None


def _barrier(known: Known) -> str | None:
    """What keeps an import from the content of an asset."""
    if known.is_erased:
        return _ERASED
    if known.version is None:
        return _UNMOVED
    return IN_TRASH if known.is_trashed else None


def _patch(item: Item, draft: Draft, known: Known | None, *, is_active: bool) -> Patch:
    """What makes an item say what its asset says; what others added to it stays where it can.

    Its status follows its asset's only when that changed: somebody may have archived it here.
    """
    details = item.details
    pairs: list[tuple[str, Any, Any]] = [
        ("title", item.title, draft.title),
        ("content_type", item.content_type, draft.content_type),
        ("tags", details.tags, tuple(dict.fromkeys((*details.tags, *draft.details.tags)))),
        ("media", details.media, draft.details.media),
        ("metadata", details.metadata, {**details.metadata, **draft.details.metadata}),
        ("body", item.sha256, sha256_of(draft.body)),
    ]
    changed = {name: new for name, old, new in pairs if old != new}
    if "body" in changed:
        changed["body"] = draft.body
    if known is not None and known.is_active != is_active:
        changed["status"] = Status.PUBLISHED if is_active else Status.ARCHIVED
    return Patch(**changed)


def _ended(
    task: Task, state: AssetState, *, content_id: str | None = None, reason: str | None = None
) -> AssetStep:
    told = reason[:REASON_CHARACTERS] if reason else None
    return AssetStep(number=task.number, state=state, content_id=content_id, reason=told)


def _later(task: Task, error: ActorError | Retryable) -> AssetStep:
    """An asset that is tried again, unless it was tried often enough."""
    told = error.detail if isinstance(error, Retryable) else "A part of the daemon did not answer."
    if task.attempts + 1 >= ATTEMPTS_MAX:
        tried = f"It was tried {task.attempts + 1} times; at last: {told}"
        return _ended(task, AssetState.FAILED, reason=tried)
    wait_s = max(2.0**task.attempts, error.after_s if isinstance(error, Retryable) else 0.0)
    waiting = _ended(task, AssetState.PENDING, reason=told)
    return msgspec.structs.replace(waiting, wait_s=min(wait_s, BACKOFF_MAX_S))


def _keepsake(asset: CampaignAsset, content_id: str, media_ids: tuple[str, ...]) -> Keepsake:
    return Keepsake(
        content_id=content_id,
        asset_name=asset.name[:255] or asset.external_id,
        asset_type=asset.kind.value,
        external_asset_id=asset.external_id,
        headline_text=asset.headline[:500] or None,
        ad_copy_text=asset.text or None,
        description=asset.description or None,
        cta_text=asset.call_to_action[:100] or None,
        tags=asset.tags,
        link=asset.link or None,
        media_id=media_ids[0] if media_ids else None,
        digest=asset.digest,
        is_active=asset.is_active,
    )
