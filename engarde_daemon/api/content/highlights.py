"""Why something was found: the fitting places of a text, with the hits marked, ready for a page.

Owns the promise that a highlight is safe to show: whatever an author wrote is escaped, and the only
HTML in it is our own `<mark>`.
"""

import html
from collections.abc import Sequence

from engarde_daemon.domain.content import Item
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.ports.content import Bodies
from engarde_daemon.ports.lists import MARK_END, MARK_START, Marker

CHARACTERS_MAX = 20_000
"""How far into a body is looked: taking a text apart costs 0.1 ms for each 1,000 characters."""


class Highlighter:
    """Marks the words of a search in the items of a page."""

    def __init__(self, marker: Marker, bodies: Bodies) -> None:
        self._marker = marker
        self._bodies = bodies

    async def of(self, words: str, items: Sequence[Item]) -> dict[str, str]:
        """A highlight of each item of a page, by id: of its title where only that fits.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        texts = [*await self._texts(items), *(item.title for item in items)]
        tenant_id, brand_id = items[0].tenant_id, items[0].brand_id
        marked = await self._marker.mark(tenant_id, brand_id, words=words, texts=texts)
        bodies, titles = marked[: len(items)], marked[len(items) :]
        return {
            item.id: _safe(body if MARK_START in body else title or body)
            for item, body, title in zip(items, bodies, titles, strict=True)
        }

    async def _texts(self, items: Sequence[Item]) -> list[str]:
        """The bodies; the previews of those that cannot be read now, because a list must work."""
        try:
            bodies = await self._bodies.find(items[0].tenant_id, items)
        except Unavailable:
            bodies = {}
        return [bodies.get(item.body_name, item.preview)[:CHARACTERS_MAX] for item in items]


def _safe(marked: str) -> str:
    escaped = html.escape(marked)
    return escaped.replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
