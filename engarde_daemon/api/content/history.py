"""The history of an item over HTTP: what each version changed, and the way back to one.

Owns the bound of a page: the bodies of its versions together, since telling a version takes its
body; a page of large ones is shorter than was asked for.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Controller, Request
from litestar.params import FromPath

from actors.ingest.messages import IngestMessage, RestoreVersion
from engarde_daemon.api.access import reaches
from engarde_daemon.api.calls import Call, expected_version
from engarde_daemon.api.content.answers import answer_with
from engarde_daemon.api.content.chronicle import Chronicle
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.content.schemas import ContentView, is_id, view_of
from engarde_daemon.api.content.versions import (
    VERSION_MAX,
    DiffQuery,
    HistoryPage,
    HistoryPagination,
    HistoryQuery,
    VersionQuery,
    VersionView,
    version_view_of,
)
from engarde_daemon.api.contract import (
    ETAG,
    IF_MATCH,
    SERVED_FROM,
    Answer,
    promise,
)
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.api.routing import Ready, get, post
from engarde_daemon.core import Address
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.domain.errors import Conflict, NotFound, QuotaExceeded, VersionConflict
from engarde_daemon.domain.history import Patch
from engarde_daemon.ports.content import Bodies, ContentKey, Version
from engarde_daemon.ports.history import HistoryLibrary

PAGE_BYTES_MAX = 16 * 1024 * 1024
PATCH_MEDIA_TYPE = "application/json-patch+json"

Asked = Request[Principal, Any, Any]

_NO_VERSION = "There is no such version."


class HistoryDesk:
    """Serves the routes of versions."""

    def __init__(
        self,
        *,
        ingest: Address[IngestMessage],
        library: HistoryLibrary,
        chronicle: Chronicle,
        bodies: Bodies,
        timeout_s: float,
    ) -> None:
        self._ingest = ingest
        self._library = library
        self._chronicle = chronicle
        self._bodies = bodies
        self._timeout_s = timeout_s

    async def page(self, call: Call, content_id: str, query: HistoryQuery) -> HistoryPage:
        """Versions of an item, the newest first."""
        # One more than wanted: it tells that there is a next page, and what the last one follows.
        found = await self._library.versions_before(
            _key(call, content_id),
            before=query.cursor,
            size=query.limit + 1,
            trashed=query.trashed,
        )
        if found is None:
            raise NotFound("There is no such content.")
        wanted = _within_bounds(found[: query.limit])
        known = {version.item.version: version for version in found}
        accounts = await self._chronicle.tell(wanted, known)
        has_next = len(found) > len(wanted)
        last = str(wanted[-1].item.version) if has_next else None
        return HistoryPage(
            data=[version_view_of(account) for account in accounts],
            pagination=HistoryPagination(has_next=has_next, next_cursor=last),
        )

    async def read(self, call: Call, content_id: str, number: int, *, trashed: bool) -> VersionView:
        """One version with the state it led to."""
        key = _key(call, content_id)
        known = await self._versions(key, [number, number - 1], trashed=trashed)
        (account,) = await self._chronicle.tell([_named(number, known)], known)
        return msgspec.structs.replace(version_view_of(account), content_snapshot=account.snapshot)

    async def diff(self, call: Call, content_id: str, number: int, *, query: DiffQuery) -> Patch:
        """The patch that leads to a version from another, by default from the one before."""
        against = query.against or number - 1
        key = _key(call, content_id)
        known = await self._versions(key, [number, against], trashed=query.trashed)
        return await self._chronicle.diff(_named(against, known), _named(number, known))

    async def restore(self, call: Call, content_id: str, number: int) -> Ready:
        """Give an item the content of a version, as a new version."""
        written = await self._ingest.ask(
            RestoreVersion(
                tenant_id=call.principal.tenant_id,
                content_id=_key(call, content_id).content_id,
                user_id=call.principal.user_id,
                version=_checked(number),
                expected_version=expected_version(call.headers),
            ),
            timeout_s=self._timeout_s,
        )
        body, place = await self._bodies.of(written.item)
        return answer_with(view_of(written.item, body), written.item, served_from=place)

    async def _versions(
        self, key: ContentKey, numbers: Sequence[int], *, trashed: bool
    ) -> dict[int, Version]:
        asked = [number for number in numbers if 1 <= number <= VERSION_MAX]
        return await self._library.versions(key, asked, trashed=trashed)


class HistoryController(Controller):
    """List, read, compare and restore versions."""

    path = "/api/content/{content_id:str}/versions"
    tags = ("versions",)
    guards = (reaches(Role.VIEWER),)

    @get(operation_id="listVersions", opt=promise(query=HistoryQuery))
    async def page(
        self, request: Asked, content_id: FromPath[str], history: Given[HistoryDesk]
    ) -> HistoryPage:
        """Versions of an item, the newest first, each with what it changed."""
        query = decode_query(query_of(request.scope["query_string"]), HistoryQuery)
        return await history.page(_call(request), content_id, query)

    @get("/{version:int}", operation_id="readVersion", opt=promise(query=VersionQuery))
    async def read(
        self,
        request: Asked,
        content_id: FromPath[str],
        version: FromPath[int],
        *,
        history: Given[HistoryDesk],
    ) -> VersionView:
        """One version with the state it led to."""
        query = decode_query(query_of(request.scope["query_string"]), VersionQuery)
        return await history.read(_call(request), content_id, version, trashed=query.trashed)

    @get(
        "/{version:int}/diff",
        operation_id="diffVersions",
        opt=promise(
            query=DiffQuery,
            answers={200: Answer(says="The patch.", shape=Patch, media_type=PATCH_MEDIA_TYPE)},
        ),
    )
    async def diff(
        self,
        request: Asked,
        content_id: FromPath[str],
        version: FromPath[int],
        *,
        history: Given[HistoryDesk],
    ) -> Ready:
        """The JSON Patch (RFC 6902) that leads to a version from another one."""
        query = decode_query(query_of(request.scope["query_string"]), DiffQuery)
        patch = await history.diff(_call(request), content_id, version, query=query)
        media_type = (b"content-type", PATCH_MEDIA_TYPE.encode())
        return Ready(msgspec.json.encode(patch), headers=[media_type])

    @post(
        "/{version:int}/restore",
        operation_id="restoreVersion",
        status_code=200,
        guards=[reaches(Role.EDITOR)],
        opt=promise(
            headers=(IF_MATCH,),
            answers={
                200: Answer(
                    says="The item as it now stands.",
                    shape=ContentView,
                    headers=(ETAG, SERVED_FROM),
                )
            },
            errors=(VersionConflict, QuotaExceeded, Conflict),
        ),
    )
    async def restore(
        self,
        request: Asked,
        content_id: FromPath[str],
        version: FromPath[int],
        *,
        history: Given[HistoryDesk],
    ) -> Ready:
        """Give an item the content of one of its past versions."""
        return await history.restore(_call(request), content_id, version)


def _call(request: Asked) -> Call:
    return Call(request.user, request.headers)


def _key(call: Call, content_id: str) -> ContentKey:
    if not is_id(content_id):
        raise NotFound("There is no such content.")
    return ContentKey(call.principal.tenant_id, content_id)


def _checked(number: int) -> int:
    if not 1 <= number <= VERSION_MAX:
        raise NotFound(_NO_VERSION)
    return number


def _named(number: int, known: Mapping[int, Version]) -> Version:
    if number not in known:
        raise NotFound(_NO_VERSION)
    return known[number]


def _within_bounds(versions: Sequence[Version]) -> list[Version]:
    """The first of these whose bodies are not too much at once, and one at least."""
    sizes = 0
    chosen: list[Version] = []
    for version in versions:
        sizes += version.item.size_bytes
        if chosen and sizes > PAGE_BYTES_MAX:
            break
        chosen.append(version)
    return chosen
