"""Several calls at once, but only so many, and an end at the first that fails."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from engarde_daemon.domain.errors import Unavailable

J = TypeVar("J")
R = TypeVar("R")


async def in_lanes(jobs: Sequence[J], work: Callable[[J], Awaitable[R]], *, lanes: int) -> list[R]:
    """Do all jobs and give their results, in no promised order.

    Raises:
        Unavailable: A job failed; those under way were ended, the others never begun.
    """
    todo, results, failures = iter(jobs), list[R](), list[Unavailable]()

    async def lane() -> None:
        for job in todo:
            try:
                results.append(await work(job))
            except Unavailable as failure:
                failures.append(failure)
                group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for _ in range(min(lanes, len(jobs))):
            group.start_soon(lane)
    if failures:
        raise failures[0]
    return results
