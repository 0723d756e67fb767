"""How an item is answered: encoded once, with its entity tag and where its body came from."""

import msgspec

from engarde_daemon.api.calls import etag_of
from engarde_daemon.api.content.schemas import ContentView
from engarde_daemon.api.routing import RawHeaders, Ready
from engarde_daemon.domain.content import Item

JSON = (b"content-type", b"application/json")

_JSON = msgspec.json.Encoder()


def answer_with(
    view: ContentView, item: Item, *, status: int = 200, served_from: str = ""
) -> Ready:
    """The answer that shows an item."""
    headers: RawHeaders = [(b"etag", etag_of(item.version).encode())]
    if status == 201:
        headers.append((b"location", b"/api/content/" + item.id.encode()))
    if served_from:
        headers.append((b"x-served-from", served_from.encode()))
    return Ready(_JSON.encode(view), status=status, headers=[*headers, JSON])


def unchanged_since(item: Item) -> Ready:
    """The answer that the caller has the newest version already."""
    return Ready(b"", status=304, headers=[(b"etag", etag_of(item.version).encode())])


def page_answer(body: bytes) -> Ready:
    """The answer that shows a page, which is encoded already."""
    return Ready(body, headers=[JSON])
