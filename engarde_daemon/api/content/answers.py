"""How an item is answered: encoded once, with its entity tag and where its body came from."""

import msgspec
from litestar import Response

from engarde_daemon.api.calls import etag_of
from engarde_daemon.api.content.schemas import ContentView
from engarde_daemon.domain.content import Item

_JSON = msgspec.json.Encoder()


def answer_with(
    view: ContentView, item: Item, *, status: int = 200, served_from: str = ""
) -> Response[bytes]:
    """The answer that shows an item."""
    headers = {"ETag": etag_of(item.version)}
    if status == 201:
        headers["Location"] = f"/api/content/{item.id}"
    if served_from:
        headers["X-Served-From"] = served_from
    return Response(
        _JSON.encode(view), status_code=status, media_type="application/json", headers=headers
    )
