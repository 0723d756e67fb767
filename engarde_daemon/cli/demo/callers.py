"""The two who call the daemon in the demonstration: a tenant's administrator and the operator."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import msgspec

from engarde_daemon.cli.demo.stage import Stage
from engarde_daemon.cli.exits import CannotStartError
from engarde_daemon.cli.transfer.door import Door
from engarde_daemon.domain.errors import Rejected

REQUEST_LIMIT_S = 30.0
PATIENCE_S = 120.0
LOOK_S = 0.2


class Callers(msgspec.Struct, frozen=True):
    """A client for each."""

    tenant: httpx.AsyncClient
    operator: httpx.AsyncClient

    async def send(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Ask as the tenant.

        Raises:
            Rejected: It was refused.
        """
        return _checked(await self.tenant.request(method, path, **given))

    async def order(self, method: str, path: str, **given: Any) -> Any:
        """Ask as the operator, and give the answer.

        Raises:
            Rejected: It was refused.
        """
        return _checked(await self.operator.request(method, path, **given)).json()


@asynccontextmanager
async def opened(stage: Stage) -> AsyncIterator[Callers]:
    """Connect both."""
    async with _caller(stage.door) as tenant, _caller(stage.operators_door) as operator:
        yield Callers(tenant, operator)


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for something that the daemon does by itself.

    Raises:
        CannotStartError: It did not, for a long time.
    """
    try:
        with anyio.fail_after(PATIENCE_S):
            while not await condition():
                await anyio.sleep(LOOK_S)
    except TimeoutError as error:
        raise CannotStartError(f"After {PATIENCE_S:g} s {what} still has not happened.") from error


def _caller(door: Door) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=door.base_url,
        headers={"X-API-Key": door.api_key},
        timeout=REQUEST_LIMIT_S,
        trust_env=False,
    )


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise Rejected(f"The daemon answered {answer.status_code}: {answer.text[:500]}")
    return answer
