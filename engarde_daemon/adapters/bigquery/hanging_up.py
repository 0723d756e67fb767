"""Calls of gRPC that are given up.

Owns the difference between a caller that was cancelled and a call that was. grpc.aio raises a bare
`CancelledError` for both (1.85.1), and by its text anyio tells its own cancellations from others:
without a translation a deadline would end in a cancellation that nobody asked for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.lowlevel import checkpoint_if_cancelled


class HungUpError(Exception):
    """The connection ended without an answer, and without an error."""


@asynccontextmanager
async def hanging_up() -> AsyncIterator[None]:
    """Let a cancellation through that is the caller's.

    Raises:
        HungUpError: The call was given up, by the server or by somebody else.
    """
    try:
        yield
    except asyncio.CancelledError as cancelled:
        await checkpoint_if_cancelled()
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise HungUpError from cancelled
