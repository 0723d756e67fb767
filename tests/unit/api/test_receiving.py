"""Bodies are waited for as long as they go on."""

from typing import Any

import anyio
import pytest
from litestar.exceptions import HTTPException
from litestar.types import Receive

from engarde_daemon.api import receiving
from engarde_daemon.api.receiving import patient

PART: Any = {"type": "http.request", "body": b"{", "more_body": True}
LAST: Any = {"type": "http.request", "body": b"}", "more_body": False}
GONE: Any = {"type": "http.disconnect"}


def sending(*events: Any) -> Receive:
    """A connection on which these come, and nothing after them."""
    left = list(events)

    async def receive() -> Any:
        await anyio.lowlevel.checkpoint()
        if not left:
            await anyio.sleep_forever()
        return left.pop(0)

    return receive


async def test_a_body_that_stands_still_is_given_up(monkeypatch: pytest.MonkeyPatch):
    """Whoever sends half of it would have a request for ever."""
    monkeypatch.setattr(receiving, "RECEIVE_LIMIT_S", 0.01)
    receive = patient(sending(PART))
    assert await receive() == PART
    with pytest.raises(HTTPException) as caught:
        await receive()

    assert caught.value.status_code == 408


async def test_a_departure_may_be_waited_for(monkeypatch: pytest.MonkeyPatch):
    """After the body a stream listens for nothing else, for hours."""
    monkeypatch.setattr(receiving, "RECEIVE_LIMIT_S", 0.01)
    receive = patient(sending(PART, LAST))
    assert [await receive(), await receive()] == [PART, LAST]
    with anyio.move_on_after(0.1) as waiting:
        await receive()

    assert waiting.cancelled_caught


async def test_what_comes_is_passed_on():
    """A disconnect, too, after which nothing is waited for."""
    receive = patient(sending(PART, GONE, GONE))

    assert [await receive() for _ in range(3)] == [PART, GONE, GONE]
