"""What changed from one version to the next, for people and for machines.

Owns the shape of a version's snapshot and the rule of its diff: RFC 6902 over the snapshot with the
body taken apart into lines, so that one changed word in a long article is one small operation. A
diff never takes much more room than the snapshot it leads to.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jsonpatch
import msgspec

from engarde_daemon.domain.content import Change, ChangeType, Item
from engarde_daemon.domain.lines import Block, Stretch, changed_blocks, changed_stretch

Operation = dict[str, Any]
Patch = list[Operation]
Document = dict[str, Any]

NESTED_BYTES_MIN = 128
NESTED_BYTES_MAX = 64 * 1024
"""Lists and objects below or above are replaced: what is in small ones takes no less room than the
operations that change it, and comparing what is in large ones would take too long."""

_OPERATION_CHARACTERS = 60
_SPARE_CHARACTERS = 4096
_NOTHING = "nothing changed"
_FIELDS = ("title", "content_type", "status")
_BODY = "content_body"
_NESTED = (list, dict)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One version's full state, as ZeroDB's `content_versions` collection keeps it."""

    title: str
    content_body: str
    content_type: str
    status: str
    metadata: Document


class Comparison(msgspec.Struct, frozen=True):
    """What a version changed; the patch is None where the version before it is not kept."""

    summary: str
    patch: Patch | None


def snapshot_of(item: Item, body: str) -> Snapshot:
    """The snapshot of a version."""
    details = item.details
    metadata: Document = {
        name: list(value) if isinstance(value, tuple) else value
        for name in details.__struct_fields__
        if (value := getattr(details, name))
    }
    if item.campaign_space_id is not None:
        metadata["campaign_space_id"] = item.campaign_space_id
    for name in ("scheduled_at", "published_at", "deleted_at"):
        moment = getattr(item, name)
        if moment is not None:
            metadata[name] = moment.isoformat()
    return Snapshot(
        title=item.title,
        content_body=body,
        content_type=item.content_type,
        status=item.status,
        metadata=metadata,
    )


def compare(change: Change, before: Snapshot | None, after: Snapshot) -> Comparison:
    """What a version changed, in words and as a patch."""
    if change.type is ChangeType.CREATE:
        return Comparison(change.summary, [])
    if before is None:
        return Comparison(change.summary, None)
    difference = _difference(before, after)
    return Comparison(_told(change, _summary(difference)), _patch(difference, before, after))


def diff(before: Snapshot, after: Snapshot) -> Patch:
    """The operations that turn one snapshot, its body as a list of lines, into the other."""
    return _patch(_difference(before, after), before, after)


def summary(before: Snapshot, after: Snapshot) -> str:
    """The change in words: "title, tags changed; body +120 −14 words"."""
    return _summary(_difference(before, after))


def apply(before: Snapshot, patch: Patch) -> Snapshot:
    """The snapshot that a patch leads to.

    Raises:
        jsonpatch.JsonPatchException: The patch does not fit this snapshot.
    """
    document: Document = {**msgspec.to_builtins(before), _BODY: before.content_body.split("\n")}
    document = jsonpatch.apply_patch(document, patch)
    document[_BODY] = "\n".join(document[_BODY])
    return msgspec.convert(document, Snapshot)


class _Difference(NamedTuple):
    """Which fields and which names of the metadata differ, and where the bodies do."""

    fields: list[str]
    names: list[str]
    stretch: Stretch | None


def _difference(before: Snapshot, after: Snapshot) -> _Difference:
    old, new = before.metadata, after.metadata
    names = sorted(old.keys() | new.keys())
    bodies = before.content_body, after.content_body
    return _Difference(
        [name for name in _FIELDS if getattr(before, name) != getattr(after, name)],
        [n for n in names if n not in old or n not in new or not _same(old[n], new[n])],
        None if bodies[0] == bodies[1] else changed_stretch(*bodies),
    )


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: to Python 1, 1.0 and True are equal."""
    return one == other and msgspec.json.encode(one) == msgspec.json.encode(other)


def _summary(difference: _Difference) -> str:
    fields = ["type" if name == "content_type" else name for name in difference.fields]
    # Going into the trash and out of it is told by the type of the change.
    changed = fields + [name for name in difference.names if name != "deleted_at"]
    parts = [f"{', '.join(changed)} changed"] if changed else []
    if difference.stretch:
        parts.append(_words(difference.stretch))
    return "; ".join(parts) or _NOTHING


def _words(stretch: Stretch) -> str:
    was, now = stretch.old.split(), stretch.new.split()
    old, new = Counter(was), Counter(now)
    # Counters subtracted from each other would go through all their words twice.
    kept = sum(min(old[word], new[word]) for word in old.keys() & new.keys())
    added, removed = len(now) - kept, len(was) - kept
    if not added and not removed:
        return "body rearranged"
    counts = [f"+{added}"] if added else []
    counts += [f"\N{MINUS SIGN}{removed}"] if removed else []
    return f"body {' '.join(counts)} words"


def _told(change: Change, difference: str) -> str:
    """The summary of a change that may be more than the difference it makes."""
    if change.type is ChangeType.DELETE:
        return change.summary
    if change.type is not ChangeType.RESTORE:
        return difference
    return change.summary if difference == _NOTHING else f"{change.summary}: {difference}"


def _patch(difference: _Difference, before: Snapshot, after: Snapshot) -> Patch:
    return [
        *(_replacing(name, getattr(after, name)) for name in difference.fields),
        *_metadata_operations(difference.names, before.metadata, after.metadata),
        *(_body_operations(difference.stretch, after.content_body) if difference.stretch else ()),
    ]


def _replacing(path: str, value: Any) -> Operation:
    return {"op": "replace", "path": f"/{path}", "value": value}


def _metadata_operations(names: Sequence[str], old: Document, new: Document) -> Iterator[Operation]:
    for name in names:
        path = f"metadata/{name}"
        if name not in new:
            yield {"op": "remove", "path": f"/{path}"}
        elif name not in old:
            yield {"op": "add", "path": f"/{path}", "value": new[name]}
        elif _pays_to_look_into(old[name], new[name]):
            yield from jsonpatch.make_patch(_nested(name, old), _nested(name, new))
        else:
            yield _replacing(path, new[name])


def _pays_to_look_into(old: Any, new: Any) -> bool:
    if not isinstance(old, _NESTED) or not isinstance(new, _NESTED):
        return False
    new_bytes = len(msgspec.json.encode(new))
    return new_bytes > NESTED_BYTES_MIN and new_bytes + len(msgspec.json.encode(old)) <= (
        NESTED_BYTES_MAX
    )


def _nested(name: str, metadata: Document) -> Document:
    return {"metadata": {name: metadata[name]}}


def _body_operations(stretch: Stretch, new: str) -> Patch:
    blocks = changed_blocks(stretch)
    if _weight(blocks) > len(new) + 3 * new.count("\n") + _SPARE_CHARACTERS:
        return [_replacing(_BODY, new.split("\n"))]
    return [operation for block in reversed(blocks) for operation in _line_operations(block)]


def _weight(blocks: Sequence[Block]) -> int:
    """About how many characters the operations of these blocks take."""
    operations = sum(max(len(block.old), len(block.new)) for block in blocks)
    return operations * _OPERATION_CHARACTERS + sum(len(line) for b in blocks for line in b.new)


def _line_operations(block: Block) -> Iterator[Operation]:
    """Changes from the last line to the first, so that earlier line numbers stay true."""
    start, old, new = block
    common = min(len(old), len(new))
    for place in reversed(range(start + common, start + len(old))):
        yield {"op": "remove", "path": f"/{_BODY}/{place}"}
    for line in reversed(new[common:]):
        yield {"op": "add", "path": f"/{_BODY}/{start + common}", "value": line}
    for offset in reversed(range(common)):
        if old[offset] != new[offset]:
            yield _replacing(f"{_BODY}/{start + offset}", new[offset])
