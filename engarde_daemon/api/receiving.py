"""Request bodies as they come: none is waited for that does not go on."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
from litestar import Request
from litestar.exceptions import HTTPException
from litestar.types import Receive

from engarde_daemon.domain.access import Principal

RECEIVE_LIMIT_S = 60.0


def patient(receive: Receive) -> Receive:
    """The same, for a body that may not stand still; whoever waits for a departure waits on."""
    is_whole = False

    async def receive_next() -> Any:
        nonlocal is_whole
        if is_whole:
            return await receive()
        event: Any = None
        with anyio.move_on_after(RECEIVE_LIMIT_S):
            event = await receive()
        if event is None:
            raise HTTPException(status_code=408, detail="The body does not go on.")
        is_whole = not event.get("more_body", False)
        return event

    return receive_next


async def body_of(request: Request[Principal, Any, Any]) -> AsyncIterator[bytes]:
    """A body that is too large to be held, piece by piece.

    Raises:
        HTTPException: It does not go on, or was cut off.
    """
    more = True
    while more:
        event: Any = await request.receive()
        if event["type"] == "http.disconnect":
            raise HTTPException(status_code=400, detail="The body was cut off.")
        yield event["body"]
        more = event["more_body"]
