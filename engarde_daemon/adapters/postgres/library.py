"""Reads of content, one round trip each, as `engarde_api` under row level security."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from engarde_daemon.adapters.coalescing import PATIENCE_S, Coalesced
from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.postgres.proving import Prover
from engarde_daemon.adapters.postgres.rows import item_of, naive, utc, version_of
from engarde_daemon.domain import search
from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import NotFound
from engarde_daemon.ports.content import ContentKey, Filters, Found, Listed, Usage, Version
from engarde_daemon.ports.likeness import Alike
from engarde_daemon.ports.lists import Sort, SortedPlace
from sql import statements

COUNT_CAP = 10_000
RANKED_MAX = 200
LANES = 3
BATCH_MOST = 32

_SQL = statements("library")
_NO_VERSIONS = msgspec.Raw(b"[]")


class _Page(msgspec.Struct, frozen=True):
    """One question for a page without filters."""

    tenant_id: str
    brand_id: str
    after: SortedPlace | None
    size: int
    skip: int

    def question(self) -> tuple[Any, ...]:
        """The arguments of `engarde.list_page_v1`, in their order."""
        return (self.tenant_id, self.brand_id, *_place_values(self.after), self.size, self.skip)


class PostgresLibrary:
    """The `ContentLibrary` port on PostgreSQL."""

    def __init__(self, readers: asyncpg.Pool, *, patience_s: float = PATIENCE_S) -> None:
        self._readers = readers
        self._prover = Prover()
        self._items = Coalesced(self._find_all, lanes=LANES, most=BATCH_MOST, patience_s=patience_s)
        self._pages = Coalesced(self._list_all, lanes=LANES, most=BATCH_MOST, patience_s=patience_s)

    async def find(self, key: ContentKey) -> Found | None:
        """See `ContentLibrary.find`."""
        with translated():
            return await self._items.ask(key)

    async def _find_all(self, keys: Sequence[ContentKey]) -> list[Found | None]:
        tenants, ids = [key.tenant_id for key in keys], [key.content_id for key in keys]
        with translated():
            rows = await self._readers.fetch(_SQL["find"], tenants, ids)
        found = {row["slot"] - 1: self._found_of(row) for row in rows}
        return [found.get(slot) for slot in range(len(keys))]

    def _found_of(self, row: Mapping[str, Any]) -> Found:
        item = item_of(row["item"])
        return Found(
            item=item,
            backed_up=row["item"]["bigquery_backed_up"],
            backed_up_at=row["item"]["bigquery_last_sync_at"],
            body=self._prover.proved(item, row["body"]),
            versions=msgspec.Raw(row["versions"].encode()) if row["versions"] else _NO_VERSIONS,
        )

    async def find_version(self, key: ContentKey, version: int) -> Version | None:
        """See `ContentLibrary.find_version`."""
        with translated():
            row = await self._readers.fetchrow(
                _SQL["find_version"], key.tenant_id, key.content_id, version
            )
        return version_of(row) if row else None

    async def staged(self, tenant_id: str, items: Sequence[Item]) -> dict[tuple[str, int], str]:
        """The bodies of these items that PostgreSQL still stages, as far as they are sound.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        ids, versions = [item.id for item in items], [item.body_version for item in items]
        with translated():
            rows = await self._readers.fetch(_SQL["staged"], tenant_id, ids, versions)
        staged = {(row["content_id"], row["version"]): row["body"] for row in rows}
        return {
            item.body_name: body
            for item in items
            if (body := self._prover.proved(item, staged.get(item.body_name))) is not None
        }

    async def list_items(
        self,
        tenant_id: str,
        brand_id: str,
        *,
        filters: Filters,
        after: SortedPlace | None,
        size: int,
        skip: int,
        sort: Sort = Sort.NEWEST,
        trashed: bool = False,
    ) -> Listed:
        """See `ContentLibrary.list_items`."""
        page = _Page(tenant_id, brand_id, after, size, skip)
        if trashed:
            with translated():
                rows = await self._readers.fetch(_SQL["trash"], *page.question())
            return _listed_of(rows, cap=COUNT_CAP)
        if sort is Sort.NEWEST and not filters.any():
            with translated():
                return await self._pages.ask(page)
        cap = RANKED_MAX if sort is Sort.RELEVANCE else COUNT_CAP
        question = _question_of(page, filters, sort, cap=cap)
        with translated():
            rows = await self._readers.fetch(_SQL["page"], question)
        return _listed_of(rows, cap=None if filters.kinds_only() else cap)

    async def list_alike(
        self,
        tenant_id: str,
        brand_id: str,
        *,
        alike: Sequence[Alike],
        filters: Filters,
        after: SortedPlace | None,
        size: int,
        skip: int,
    ) -> Listed:
        """See `ContentLibrary.list_alike`."""
        page = _Page(tenant_id, brand_id, after, size, skip)
        wanted = msgspec.structs.replace(filters, words=None)
        question = _question_of(page, wanted, Sort.RELEVANCE, cap=len(alike))
        ids, likeness = [one.content_id for one in alike], [one.likeness for one in alike]
        with translated():
            rows = await self._readers.fetch(_SQL["page_alike"], question, ids, likeness)
        return _listed_of(rows, cap=None)

    async def _list_all(self, pages: Sequence["_Page"]) -> list[Listed]:
        questions = msgspec.json.encode([page.question() for page in pages]).decode()
        with translated():
            rows = await self._readers.fetch(_SQL["pages"], questions)
        slots: list[list[Mapping[str, Any]]] = [[] for _ in pages]
        for row in rows:
            slots[row["slot"] - 1].append(row)
        return [_listed_of(slot, cap=None) for slot in slots]

    async def usage(self, tenant_id: str) -> Usage:
        """See `ContentLibrary.usage`."""
        with translated():
            row = await self._readers.fetchrow(_SQL["usage"], tenant_id)
        if row is None:
            raise NotFound("There is no such tenant.")
        return _usage_of(row)

    async def owns_brand(self, tenant_id: str, brand_id: str) -> bool:
        """See `ContentLibrary.owns_brand`."""
        with translated():
            return bool(await self._readers.fetchval(_SQL["owns_brand"], tenant_id, brand_id))


def _place_values(place: SortedPlace | None) -> tuple[datetime | None, str | None]:
    return (naive(place.at), place.content_id) if place else (None, None)


def _question_of(page: _Page, filters: Filters, sort: Sort, *, cap: int) -> str:
    """What `engarde.list_items_v2` is asked, in the fields of `engarde.list_question`."""
    at, content_id = _place_values(page.after)
    question = {
        "tenant": page.tenant_id,
        "brand": page.brand_id,
        "types": filters.types,
        "statuses": filters.statuses,
        "campaign": filters.campaign_space_id,
        "since": naive(filters.created_from),
        "until": naive(filters.created_to),
        "said": None if filters.words is None else search.parse(filters.words),
        "tags": filters.tags,
        "sort": sort,
        "after_key": page.after.key if page.after else None,
        "after_at": at,
        "after_id": content_id,
        "size": page.size,
        "skip": page.skip,
        "cap": cap,
    }
    return msgspec.json.encode(question).decode()


def _listed_of(rows: Sequence[Mapping[str, Any]], *, cap: int | None) -> Listed:
    """A page; beyond `cap` nobody counted, None says that the total comes from the counters.

    A list by relevance may end before `cap`, and says itself whether there is `more`.
    """
    hits = [row for row in rows if row["item"] is not None]
    total = rows[0]["total"]
    return Listed(
        items=[item_of(row["item"]) for row in hits],
        backed_up=[row["item"]["bigquery_backed_up"] for row in hits],
        ranks=[row.get("rank") for row in hits],
        total=total if cap is None else min(total, cap),
        is_capped=cap is not None and rows[0].get("more", total > cap),
    )


def _usage_of(row: Mapping[str, Any]) -> Usage:
    return Usage(
        plan=row["plan"],
        items=row["items"],
        content_bytes=row["bytes"],
        media_files=row["media_files"],
        media_bytes=row["media_bytes"],
        pending_bytes=row["pending_bytes"],
        calculated_at=utc(row["calculated_at"]),
        by_type=msgspec.json.decode(row["by_type"] or "{}"),
    )
