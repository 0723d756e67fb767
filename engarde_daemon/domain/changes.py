"""How an item moves from one version to the next.

Owns the rules of a change, as pure functions from what is there and what is asked to what will be.
Nothing here knows the time, draws an id or stores anything: the ingest actor does.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from engarde_daemon.domain.content import (
    Change,
    ChangeType,
    ContentType,
    Details,
    Item,
    Status,
    preview_of,
    sha256_of,
    size_of,
)
from engarde_daemon.domain.errors import FieldError, IllegalTransition, Invalid

TRANSITIONS: Mapping[str, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.SCHEDULED, Status.PUBLISHED, Status.ARCHIVED}),
    Status.SCHEDULED: frozenset({Status.DRAFT, Status.PUBLISHED, Status.ARCHIVED}),
    Status.PUBLISHED: frozenset({Status.DRAFT, Status.ARCHIVED}),
    Status.ARCHIVED: frozenset({Status.DRAFT, Status.PUBLISHED}),
}
"""Which status may follow which. One that the platform made up may be left for any."""

TAGS_MAX = 100


class Idempotency(msgspec.Struct, frozen=True):
    """A caller's promise that two requests with this key are one."""

    principal_id: str
    key: str
    fingerprint: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A new item, as its author wants it."""

    title: str
    body: str
    content_type: ContentType
    status: Status
    details: Details
    campaign_space_id: str | None = None
    scheduled_at: datetime | None = None


class Patch(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an item that shall change; unset ones stay as they are."""

    title: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    content_type: ContentType | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    platforms: tuple[str, ...] | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    hashtags: tuple[str, ...] | UnsetType = UNSET
    mentions: tuple[str, ...] | UnsetType = UNSET
    media: tuple[str, ...] | UnsetType = UNSET
    metadata: dict[str, object] | UnsetType = UNSET
    campaign_space_id: str | None | UnsetType = UNSET
    scheduled_at: datetime | None | UnsetType = UNSET

    def changed_fields(self) -> dict[str, object]:
        """The fields that were given, by name."""
        return {
            name: value
            for name in self.__struct_fields__
            if (value := getattr(self, name)) is not UNSET
        }


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One version about to be committed, and what it replaces.

    `body` is None when the version keeps the body it had; `trace` names the request it came with.
    """

    item: Item
    change: Change
    body: str | None
    before: Item | None = None
    idempotency: Idempotency | None = None
    trace: str | None = None

    @property
    def growth_bytes(self) -> int:
        """What the tenant's usage changes by."""
        return _counted_bytes(self.item) - (_counted_bytes(self.before) if self.before else 0)


def create(
    draft: Draft,
    *,
    content_id: str,
    tenant_id: str,
    brand_id: str,
    user_id: str,
    at: datetime,
    idempotency: Idempotency | None = None,
) -> Write:
    """The first version of an item.

    Raises:
        Invalid: A scheduled item needs a moment to be published at.
    """
    check_status(None, {"status": draft.status, "scheduled_at": draft.scheduled_at})
    item = Item(
        id=content_id,
        tenant_id=tenant_id,
        brand_id=brand_id,
        user_id=user_id,
        campaign_space_id=draft.campaign_space_id,
        title=draft.title,
        content_type=draft.content_type.value,
        status=draft.status.value,
        details=draft.details,
        preview=preview_of(draft.body),
        size_bytes=size_of(draft.body),
        sha256=sha256_of(draft.body),
        scheduled_at=draft.scheduled_at,
        published_at=at if draft.status is Status.PUBLISHED else None,
        created_at=at,
        updated_at=at,
    )
    change = Change(type=ChangeType.CREATE, by=user_id, summary="created")
    return Write(item=item, change=change, body=draft.body, idempotency=idempotency)


def update(
    before: Item, patch: Patch, *, by: str, at: datetime, legacy_body: str | None = None
) -> Write:
    """The next version of an item under a patch.

    A body that still lies in the platform's row (`legacy_body`) moves in with its first change.

    Raises:
        IllegalTransition: The status cannot follow the present one.
        Invalid: A scheduled item needs a moment to be published at.
    """
    changed = patch.changed_fields()
    check_status(before, changed)
    body = changed.pop("body", legacy_body)
    kind = _kind_of(before, patch)
    version = before.version + 1
    item = msgspec.structs.replace(
        before,
        **_state_of(before, changed),
        **_body_state_of(body, version),
        version=version,
        published_at=at if kind is ChangeType.PUBLISH else before.published_at,
        updated_at=at,
    )
    summary = f"{', '.join(patch.changed_fields()) or 'nothing'} changed"
    return Write(
        item=item,
        change=Change(type=kind, by=by, summary=summary),
        body=body if isinstance(body, str) else None,
        before=before,
    )


def retag(before: Item, *, add: Collection[str], remove: Collection[str]) -> Patch:
    """What puts tags on an item and takes others off; capitals make no difference.

    Raises:
        Invalid: There would be more tags than an item may have.
    """
    gone = {tag.casefold() for tag in remove}
    tags = {tag.casefold(): tag for tag in before.details.tags if tag.casefold() not in gone}
    for tag in add:
        tags.setdefault(tag.casefold(), tag)
    if len(tags) > max(TAGS_MAX, len(before.details.tags)):
        raise Invalid([FieldError("add", f"would give the item more than {TAGS_MAX} tags")])
    return Patch(tags=tuple(tags.values()))


def changes_nothing(before: Item, patch: Patch) -> bool:
    """Whether an item already is as a patch wants it; a body never counts as the same."""
    state = {**msgspec.structs.asdict(before.details), **msgspec.structs.asdict(before)}
    return all(state.get(name) == value for name, value in patch.changed_fields().items())


def restore_version(before: Item, past: Item, *, by: str, at: datetime) -> Write:
    """The next version of an item, with the content that it had in the past.

    Its place in life stays: status, schedule and publication belong to today.
    """
    version = before.version + 1
    item = msgspec.structs.replace(
        before,
        version=version,
        title=past.title,
        content_type=past.content_type,
        details=past.details,
        campaign_space_id=past.campaign_space_id,
        body_version=past.body_version,
        preview=past.preview,
        size_bytes=past.size_bytes,
        sha256=past.sha256,
        updated_at=at,
    )
    change = Change(type=ChangeType.RESTORE, by=by, summary=f"restored from version {past.version}")
    return Write(item=item, change=change, body=None, before=before)


def undelete(before: Item, *, by: str, at: datetime, legacy_body: str | None = None) -> Write:
    """The next version of an item, back from the trash as it was."""
    version = before.version + 1
    item = msgspec.structs.replace(
        before,
        **_body_state_of(legacy_body, version),
        version=version,
        updated_at=at,
        deleted_at=None,
    )
    change = Change(type=ChangeType.RESTORE, by=by, summary="restored from the trash")
    return Write(item=item, change=change, body=legacy_body, before=before)


def delete(before: Item, *, by: str, at: datetime, legacy_body: str | None = None) -> Write:
    """The final version of an item: a tombstone that still knows its last state."""
    version = before.version + 1
    item = msgspec.structs.replace(
        before,
        **_body_state_of(legacy_body, version),
        version=version,
        updated_at=at,
        deleted_at=at,
    )
    change = Change(type=ChangeType.DELETE, by=by, summary="deleted")
    return Write(item=item, change=change, body=legacy_body, before=before)


def check_status(before: Item | None, changed: Mapping[str, object]) -> None:
    """Refuse a status that cannot follow, or a schedule without a time.

    Raises:
        IllegalTransition: The status cannot follow the present one.
        Invalid: A scheduled item needs a moment to be published at.
    """
    status = str(changed.get("status", before.status if before else Status.DRAFT))
    if before is not None and status != before.status:
        legal = TRANSITIONS.get(before.status, frozenset(Status))
        if status not in legal:
            raise IllegalTransition(before.status, status, sorted(legal))
    moment = changed.get("scheduled_at", before.scheduled_at if before else None)
    if status == Status.SCHEDULED and moment is None:
        raise Invalid([FieldError("scheduled_at", "is required when the status is scheduled")])


def _kind_of(before: Item, patch: Patch) -> ChangeType:
    if patch.status is UNSET or patch.status == before.status:
        return ChangeType.UPDATE
    kinds = {Status.PUBLISHED: ChangeType.PUBLISH, Status.ARCHIVED: ChangeType.ARCHIVE}
    return kinds.get(patch.status, ChangeType.UPDATE)


def _state_of(before: Item, changed: dict[str, object]) -> dict[str, object]:
    details = {name: changed.pop(name) for name in Details.__struct_fields__ if name in changed}
    state = {n: getattr(v, "value", v) for n, v in changed.items()}
    if details:
        state["details"] = msgspec.structs.replace(before.details, **details)
    return state


def _body_state_of(body: object, version: int) -> dict[str, object]:
    if not isinstance(body, str):
        return {}
    return {
        "body_version": version,
        "preview": preview_of(body),
        "size_bytes": size_of(body),
        "sha256": sha256_of(body),
    }


def _counted_bytes(item: Item) -> int:
    return 0 if item.deleted_at else item.size_bytes
