"""Request bodies that are too large to be held: as they come, and no slower than that."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
from litestar import Request
from litestar.exceptions import HTTPException

from engarde_daemon.domain.access import Principal

RECEIVE_LIMIT_S = 60.0


async def body_of(request: Request[Principal, Any, Any]) -> AsyncIterator[bytes]:
    """The body as it comes.

    Raises:
        HTTPException: It does not go on, or was cut off.
    """
    more = True
    while more:
        try:
            with anyio.fail_after(RECEIVE_LIMIT_S):
                event: Any = await request.receive()
        except TimeoutError:
            raise HTTPException(status_code=408, detail="The body does not go on.") from None
        if event["type"] == "http.disconnect":
            raise HTTPException(status_code=400, detail="The body was cut off.")
        yield event["body"]
        more = event["more_body"]
